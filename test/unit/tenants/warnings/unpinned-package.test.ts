import { expect, test } from 'vitest';
import { unpinnedPackage } from '../../../../src/tenants/warnings/unpinned-package.ts';

const found = (line: string) => {
  const [command = '', ...args] = line.split(' ');
  return unpinnedPackage(command, args);
};

test.each([
  ['npx some-mcp', 'some-mcp'],
  ['npx -y some-mcp', 'some-mcp'],
  ['/usr/local/bin/npx -y some-mcp --port 1', 'some-mcp'],
  ['npx.cmd some-mcp', 'some-mcp'],
  ['npx --yes @scope/some-mcp', '@scope/some-mcp'],
  ['npx @scope/some-mcp@latest', '@scope/some-mcp@latest'],
  ['npx some-mcp@^1.2.3', 'some-mcp@^1.2.3'],
  ['npx some-mcp@~1.2', 'some-mcp@~1.2'],
  ['npx some-mcp@1', 'some-mcp@1'],
  ['npx some-mcp@next', 'some-mcp@next'],
  ['npx -p some-mcp@1.2.3 -p other run', 'other'],
  ['npx --package=some-mcp run', 'some-mcp'],
  ['npx --registry https://r.example some-mcp', 'some-mcp'],
  ['npx github:user/repo', 'github:user/repo'],
  ['npx -y git+https://github.com/user/repo#main', 'git+https://github.com/user/repo#main'],
  ['npm exec some-mcp', 'some-mcp'],
  ['pnpm dlx some-mcp', 'some-mcp'],
  ['bunx some-mcp', 'some-mcp'],
  ['uvx some-mcp', 'some-mcp'],
  ['uvx some-mcp@latest', 'some-mcp@latest'],
  ['uvx some-mcp>=1.2', 'some-mcp>=1.2'],
  ['uvx --from some-mcp run', 'some-mcp'],
  ['uvx --python 3.12 some-mcp', 'some-mcp'],
  ['uvx --from git+https://github.com/u/r run', 'git+https://github.com/u/r'],
  ['uv tool run some-mcp', 'some-mcp'],
  ['pipx run some-mcp', 'some-mcp'],
])('%s', (line, spec) => {
  expect(found(line)).toBe(spec);
});

test.each([
  'npx some-mcp@1.2.3',
  'npx -y @scope/some-mcp@2026.8.31',
  'npx some-mcp@1.2.3-beta.4',
  'npx -p some-mcp@1.2.3 run --with anything',
  'npx ./local',
  'npx --no-install some-mcp',
  'npx git+https://github.com/user/repo#0123456789abcdef0123456789abcdef01234567',
  'npm run some-mcp',
  'npm install some-mcp',
  'node some-mcp.js',
  'uvx some-mcp==1.2.3',
  'uvx some-mcp@1.2.3',
  'uvx some-mcp[extra]==1.2.3',
  'uvx --from some-mcp==1.2.3 run',
  'uvx --from git+https://github.com/u/r@0123456789abcdef0123456789abcdef01234567 run',
  'uv run server.py',
  'docker run some-mcp',
  'npx',
])('%s fetches nothing that is not known', (line) => {
  expect(found(line)).toBeUndefined();
});
