import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ServerSpec } from '../spec.ts';
import { entriesOf, isIn, realPath } from './visible-files.ts';

/** A file or folder a server needs, and whether it may write there. */
export interface Need {
  readonly path: string;
  readonly kind: 'read' | 'write';
}

/** Names of programs' folders under the place where something was installed. */
const programFolders = new Set(['bin', 'sbin', 'shims', '.bin']);
/** Files that say: here a package begins. What a script loads is found from there. */
const packageFiles = ['package.json', 'pyproject.toml', 'setup.py', 'Gemfile', 'deno.json', 'composer.json'];
const script = /\.(?:[cm]?[jt]sx?|py|rb|php|pl|lua|sh|jar|wasm)$/;
/** Too much to be shown because a command line happens to name it: whoever means it writes it under `sandbox`. */
export const tooWide: ReadonlySet<string> = new Set([
  ...['/', '/home', '/root', '/etc', '/usr', '/var', '/var/lib', '/opt', '/srv', '/mnt', '/media', '/tmp'],
  ...['/run', '/proc', '/sys', '/dev', '/boot', '/bin', '/lib'],
]);

/**
 * What a server needs beside the system's own files: the folder it starts in, the programs in PATH, the package its
 * script belongs to, and what its arguments and variables name. A folder named there is its to write, a file to read.
 */
export function neededFiles(
  spec: Pick<ServerSpec, 'args' | 'cwd' | 'sandbox'>,
  file: string,
  env: Readonly<Record<string, string>>,
): Need[] {
  const home = env['HOME'] ?? '/';
  const folders = [...(env['PATH'] ?? '').split(':'), path.dirname(file), path.dirname(process.execPath)];
  const programs = folders
    .filter((folder) => path.isAbsolute(folder))
    .flatMap((folder) => installOf(folder, home));
  const named = [file, ...spec.args, ...Object.values(env)].flatMap((text) => namedBy(text, spec.cwd, home));
  const { read, write } = spec.sandbox;
  const implied: Need[] = [
    ...ownFolder(spec.cwd),
    ...programs.map((each) => ({ path: each, kind: 'read' as const })),
    ...named,
  ];
  return [
    // A database that an argument names is the server's to write if its file says so of the folder.
    ...implied.filter((each) => !write.some((folder) => isIn(each.path, folder))),
    ...read.map((each) => ({ path: each, kind: 'read' as const })),
    ...write.map((each) => ({ path: each, kind: 'write' as const })),
  ];
}

/** The folder it starts in, and what is linked into it from elsewhere, as `node_modules` or a release may be. */
function ownFolder(cwd: string): Need[] {
  if (tooWide.has(cwd)) return [];
  const links = entriesOf(cwd).filter((entry) => entry.isSymbolicLink());
  const linked = links.map(({ name }) => path.join(cwd, name));
  const shown = linked.filter((file) => !tooWide.has(realPath(file) ?? '/'));
  return [cwd, ...shown].map((file) => ({ path: file, kind: 'read' }));
}

/** What stands beside `bin` where something was installed into a folder of the operator's home; credentials may too. */
const installed = new Set([
  ...[
    'bin',
    'sbin',
    'shims',
    'lib',
    'lib64',
    'libexec',
    'share',
    'include',
    'versions',
    'version',
    'installs',
  ],
  ...['install', 'tools', 'toolchains', 'plugins', 'completions', 'pyenv.d'],
]);

/** The place where the programs of a folder were installed, with their libraries: `~/.nvm/versions/node/v22` for its `bin`. */
function installOf(folder: string, home: string): string[] {
  const real = realPath(folder);
  if (real === undefined || isIn(real, '/usr') || tooWide.has(real) || isIn(home, real)) return [];
  const above = path.dirname(real);
  const isInstall = programFolders.has(path.basename(real)) && above !== path.join(home, '.local');
  if (!isInstall || above === home || tooWide.has(above)) return [real];
  if (path.dirname(above) !== home) return [above];
  return [...installed].map((name) => path.join(above, name)).filter((file) => existsSync(file));
}

/** What a word of the command line, or a variable's value, names: itself, or what stands behind `=`. */
function namedBy(text: string, cwd: string, home: string): Need[] {
  const [, name = text] = /^--?[A-Za-z][\w-]*=(.+)$/.exec(text) ?? [];
  if (!looksLikePath(name)) return [];
  const file = path.resolve(cwd, name);
  if (tooWide.has(file) || isIn(home, file) || isIn(file, '/usr')) return [];
  const kind = kindOf(file);
  if (kind === 'folder') return isIn(cwd, file) ? [] : [{ path: file, kind: 'write' }];
  return kind === 'file' ? fileNamed(file, home) : [];
}

function looksLikePath(name: string): boolean {
  return name.includes('/') && !name.includes('://') && name.length <= 4096 && !name.includes('\0');
}

function fileNamed(file: string, home: string): Need[] {
  return [file, realPath(file) ?? file].flatMap((each) => [
    { path: script.test(each) ? packageOf(each, home) : each, kind: 'read' as const },
    ...modulesAbove(each),
  ]);
}

function kindOf(file: string): 'file' | 'folder' | undefined {
  try {
    const stats = statSync(file);
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}

function packageOf(file: string, home: string): string {
  const own = path.dirname(file);
  for (let folder = own; !tooWide.has(folder) && folder !== home; folder = path.dirname(folder)) {
    if (packageFiles.some((name) => existsSync(path.join(folder, name)))) return folder;
  }
  return tooWide.has(own) || own === home ? file : own;
}

/** Node looks for packages in every folder above a script. */
function modulesAbove(file: string): Need[] {
  if (!/\.[cm]?[jt]sx?$/.test(file)) return [];
  const found: Need[] = [];
  for (let folder = path.dirname(file); folder !== '/'; folder = path.dirname(folder)) {
    const modules = path.join(folder, 'node_modules');
    if (existsSync(modules)) found.push({ path: modules, kind: 'read' });
  }
  return found;
}

/**
 * The operator's home, and its entries whose names begin with a dot: keys, tokens, histories. Never shown because a
 * folder around them is; only if something in them is needed.
 */
export function personalFiles(home: string): string[] {
  try {
    const dotted = readdirSync(home).filter((name) => name.startsWith('.'));
    return [home, ...dotted.map((name) => path.join(home, name))];
  } catch {
    return [];
  }
}
