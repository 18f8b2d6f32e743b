import path from 'node:path';

type Registry = 'npm' | 'pypi';

/** Words that make a command fetch and run a package, and where it comes from. */
const runners: readonly { readonly words: readonly string[]; readonly registry: Registry }[] = [
  ...[
    ['npx'],
    ['bunx'],
    ['pnpx'],
    ['npm', 'exec'],
    ['npm', 'x'],
    ['pnpm', 'dlx'],
    ['yarn', 'dlx'],
    ['bun', 'x'],
  ].map((words) => ({ words, registry: 'npm' as const })),
  ...[['uvx'], ['uv', 'tool', 'run'], ['pipx', 'run']].map((words) => ({ words, registry: 'pypi' as const })),
];

/** Options that name the package. */
const packageOptions: Readonly<Record<Registry, readonly string[]>> = {
  npm: ['-p', '--package'],
  pypi: ['--from', '--spec'],
};
/** Options whose value is a word of its own, which is no package. */
const valueOptions: Readonly<Record<Registry, readonly string[]>> = {
  npm: [
    '-c',
    '--call',
    '--registry',
    '--cache',
    '--prefix',
    '--userconfig',
    '-w',
    '--workspace',
    '--loglevel',
  ],
  pypi: [
    '-p',
    '--python',
    '--with',
    '--index-url',
    '--default-index',
    '--index',
    '-i',
    '--cache-dir',
    '--directory',
  ],
};
/** With these nothing is fetched. */
const offline = ['--no-install', '--no', '--offline'];

/** The package that a command fetches in whatever version is newest; undefined if there is none, or its version is written. */
export function unpinnedPackage(command: string, args: readonly string[]): string | undefined {
  const words = [path.basename(command).replace(/\.(?:cmd|exe)$/, ''), ...args];
  const runner = runners.find((each) => each.words.every((word, index) => words[index] === word));
  if (!runner) return undefined;
  const rest = words.slice(runner.words.length);
  return packagesOf(rest, runner.registry).find((spec) => !isPinned(spec, runner.registry));
}

/** The packages that options name; without one, the first word that is no option. */
function packagesOf(words: readonly string[], registry: Registry): readonly string[] {
  const named: string[] = [];
  const waiting = [...words];
  for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
    if (!word.startsWith('-')) return named.length > 0 ? named : [word];
    if (offline.includes(word)) return [];
    const [option = '', value] = word.split(/=(.*)/s, 2);
    if (packageOptions[registry].includes(option)) named.push(value ?? waiting.shift() ?? '');
    else if (valueOptions[registry].includes(word)) waiting.shift();
  }
  return named;
}

function isPinned(spec: string, registry: Registry): boolean {
  // What stands on this machine is as it is.
  if (/^(?:\.{0,2}\/|file:)/.test(spec)) return true;
  // A repository, by one commit.
  if (/[:/].*[@#][0-9a-f]{40}$/.test(spec)) return true;
  if (/^(?:git\+|https?:|git:|github:|ssh:)/.test(spec)) return false;
  const version = registry === 'npm' ? /.@(.+)$/.exec(spec)?.[1] : /(?:===?|@)\s*(.+)$/.exec(spec)?.[1];
  return (
    version !== undefined && /^[v=]?\d+\.\d+(?:\.\d+)*(?:[-+.]?[0-9A-Za-z][0-9A-Za-z.+-]*)?$/.test(version)
  );
}
