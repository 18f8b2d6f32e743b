import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/**
 * The proxy makes no requests of its own to any address, so no tenant can have it make one. Bundled servers do, each in its own
 * process and to its own vendor; they are not the proxy.
 */
const root = path.resolve(import.meta.dirname, '../../src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.startsWith('servers/'),
);

const network =
  /import (?!type)([^;]*?) from '(?:node:)?(http|https|http2|net|tls|dgram|dns|dns\/promises)';/g;
/** None of these reaches out. */
const harmless = new Set(['BlockList', 'isIP', 'isIPv6', 'Socket', 'createServer']);

/** What of Node's network a file uses that could reach out. */
function waysOut(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const imported = [...text.matchAll(network)].flatMap(([, names = '']) =>
    names
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ') && !harmless.has(name)),
  );
  const globals = [...text.matchAll(/\b(fetch|WebSocket|EventSource)\(|from '(undici|ws|got|axios)'/g)];
  return [...imported, ...globals.map(([found]) => found)];
}

test('nothing but these reaches out, and these only to a unix socket of the operator’s, to what an operator listed for a server, or as the hostile server of a check', () => {
  const found = files.flatMap((file) => waysOut(file).map((way) => `${file}: ${way}`));
  expect(found.sort()).toEqual([
    'admin/listener.ts: connect',
    'cli/admin-client.ts: request',
    'workers/sandbox/egress/way-out.ts: connect',
    'workers/sandbox/egress/way-out.ts: lookup',
    'workers/sandbox/intruder.ts: connect',
  ]);
});

test.each(['admin/listener.ts', 'cli/admin-client.ts'])('%s names no host', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text).toMatch(/connect\((socketPath|file|path)\b|request\(\{ socketPath/);
  expect(text).not.toMatch(/\bhost(name)?:/);
});
