import path from 'node:path';
import { handingFd } from './egress/room.ts';
import type { NameFiles } from './egress/ways.ts';
import { gated, type Limits } from './gate.ts';
import { type Hidden, isIn, realPath, show, type Shown } from './visible-files.ts';
import type { Need } from './needed-files.ts';
import type { SystemCopies } from './system-copies.ts';

export interface SandboxOrder {
  /** As `root` the process inside becomes `uid`; as `user` it stays who we are, in a user namespace of its own. */
  readonly variant: 'root' | 'user';
  readonly uid: number;
  /** The tenant's own home on the machine, and where it is inside. */
  readonly home: { readonly folder: string; readonly inside: string };
  /** A list of users for inside, where only the tenant's is: a file on the machine. */
  readonly passwd: string;
  readonly copies: SystemCopies;
  readonly cwd: string;
  /** The machine's; or none; or that of the room around it, where names are looked up in these files and nowhere else. */
  readonly network: 'shared' | 'none' | NameFiles;
  readonly limits: Limits;
  readonly needs: readonly Need[];
  readonly hidden: Hidden;
  readonly command: readonly string[];
}

/** Of the system's own files, these and no others: what programs, name lookups and TLS need. */
const systemFiles = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store'],
  ...['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime'],
  ...['/etc/timezone', '/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/etc/pki', '/etc/ca-certificates'],
  ...['/etc/crypto-policies', '/etc/resolv.conf', '/etc/hosts'],
  ...['/etc/nsswitch.conf', '/etc/host.conf', '/etc/gai.conf', '/etc/services', '/etc/protocols'],
  ...['/etc/mime.types', '/etc/magic', '/etc/fonts', '/etc/npmrc', '/etc/pip.conf'],
];
/** Rewritten in place while a server runs, so never copied. */
const livingFiles = new Set(['/etc/resolv.conf', '/etc/hosts']);
/** By which names are looked up. */
const nameFiles = new Set(['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']);
const tmpfsBytes = 512 * 1024 ** 2;

/** Those before it are the server's three, the gate's and the news', and in a room that by which listeners are handed out. */
const filterFd = (network: SandboxOrder['network']) => (isRoom(network) ? handingFd + 1 : 5);
/** Where the copies of small system files are inside. */
const copiesInside = '/etc/.copies';

/**
 * The words behind `bwrap` that run a command in a sandbox: namespaces of its own, of all files only what is listed, and the
 * filter of system calls that it finds open (`refused-calls.ts`).
 */
export function sandboxWords(order: SandboxOrder): string[] {
  const system = systemShown(order);
  const shown = shownIn(order, system);
  return wordsFor(order, shown, copiedOf(shown, system, order));
}

function wordsFor(order: SandboxOrder, shown: readonly Shown[], copied: Copied): string[] {
  const { variant, uid, network, cwd, home } = order;
  return [
    ...[
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-cgroup-try',
      '--die-with-parent',
      '--new-session',
    ],
    ...(variant === 'user' ? ['--unshare-user', '--cap-drop', 'ALL'] : rootCapabilities),
    // Around it we are root, of the room; inside, who we are on the machine.
    ...(variant === 'user' && isRoom(network) ? ['--uid', String(uid), '--gid', String(gid())] : []),
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...['--hostname', 'tenant', '--info-fd', '4', '--seccomp', String(filterFd(network))],
    ...['--dev', '/dev', '--proc', '/proc'],
    ...foldersFor(['/var/tmp', '/etc/passwd', home.inside]),
    ...['/tmp', '/run', '/var/tmp', '/dev/shm'].flatMap(privateTmp),
    // The home before what is shown in it, and what is shown after the folders it stands in.
    ...['--bind', home.folder, home.inside],
    ...foldersFor([...shown.map((each) => each.path), `${cwd}/.`]),
    ...(copied.size > 0 ? ['--ro-bind', order.copies.folder, copiesInside] : []),
    ...shown.flatMap((each) => linkToCopy(each.path, copied) ?? mountOf(each, order)),
    ...['--ro-bind', order.passwd, '/etc/passwd'],
    ...(isRoom(network) ? namesIn(network) : []),
    // Who owns what is around all that is shown could fill it; in the other variant it is root's.
    ...(variant === 'user' ? ['--remount-ro', '/dev', '--remount-ro', '/'] : []),
    ...['--chdir', cwd],
    '--',
    ...(variant === 'root' ? becoming(order.uid) : []),
    ...gated(order.limits, order.command),
  ];
}

/** All that root needs inside to become the tenant's user; the change of user takes them away. */
const rootCapabilities = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((name) => ['--cap-add', name]);

const isRoom = (network: SandboxOrder['network']): network is NameFiles => typeof network === 'object';
const gid = (): number => process.getgid?.() ?? 0;

function namesIn({ hosts, resolv, nsswitch }: NameFiles): string[] {
  const files = { '/etc/hosts': hosts, '/etc/resolv.conf': resolv, '/etc/nsswitch.conf': nsswitch };
  return Object.entries(files).flatMap(([inside, file]) => ['--ro-bind', file, inside]);
}

/** The words of a command that gives up being root for good. */
function becoming(uid: number): string[] {
  const id = String(uid);
  return [
    ...['setpriv', '--reuid', id, '--regid', id, '--clear-groups'],
    ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
  ];
}

function systemShown({ hidden, network }: SandboxOrder): Shown[] {
  return systemFiles
    .filter((file) => !isRoom(network) || !nameFiles.has(file))
    .flatMap((file) => show(file, 'read', hidden));
}

/** The shortest path first, so that what is inside another is put there after it. */
function shownIn({ needs, hidden }: SandboxOrder, system: readonly Shown[]): Shown[] {
  const all = [...system, ...needs.flatMap((need) => show(need.path, need.kind, hidden))];
  const byPath = new Map<string, Shown>();
  for (const each of all) if (byPath.get(each.path)?.kind !== 'write') byPath.set(each.path, each);
  return [...byPath.values()].sort((a, b) => a.path.length - b.path.length).filter(isNews);
}

/** Names of copies, by the files they are copies of. */
type Copied = ReadonlyMap<string, string>;

/**
 * The small ones of the system's files are links to copies of them, which all come with one mount. The system's only:
 * what one server asks for is no other's to see. And only where nothing of the machine's is around them in the sandbox:
 * there a link would be written to the machine.
 */
function copiedOf(shown: readonly Shown[], system: readonly Shown[], { home, copies }: SandboxOrder): Copied {
  const everybodys = new Set(system.map((each) => each.path));
  const mounted = shown.filter((each) => each.kind !== 'link').map((each) => each.path);
  const isAlone = (file: string) =>
    ![home.inside, ...mounted].some((each) => each !== file && isIn(file, each));
  // One of them may be a link to another file.
  const living = new Set([...livingFiles].map((file) => realPath(file) ?? file));
  const copied = new Map<string, string>();
  for (const { kind, path: file } of shown) {
    if (kind !== 'read' || living.has(file) || !everybodys.has(file) || !isAlone(file)) continue;
    const name = copies.of(file);
    if (name !== undefined) copied.set(file, name);
  }
  return copied;
}

/** What lies in something that is shown in the same way already needs no place of its own. */
function isNews(one: Shown, at: number, all: readonly Shown[]): boolean {
  const around = all
    .slice(0, at)
    .findLast((each) => each.kind !== 'link' && one.path.startsWith(`${each.path}/`));
  return around === undefined || (one.kind !== 'link' && one.kind !== around.kind);
}

function privateTmp(folder: string): string[] {
  return ['--perms', '1777', '--size', String(tmpfsBytes), '--tmpfs', folder];
}

/** The folders above some files, open to all: bubblewrap itself would make them open to their owner only. */
function foldersFor(files: readonly string[]): string[] {
  const folders = new Set<string>();
  const add = (folder: string): void => {
    if (folder === '/' || folders.has(folder)) return;
    add(path.dirname(folder));
    folders.add(folder);
  };
  for (const file of files) add(path.dirname(file));
  return [...folders].flatMap((folder) => ['--perms', '0755', '--dir', folder]);
}

function linkToCopy(file: string, copied: Copied): string[] | undefined {
  const name = copied.get(file);
  return name === undefined ? undefined : ['--symlink', `${copiesInside}/${name}`, file];
}

function mountOf(shown: Shown, { home, hidden }: SandboxOrder): string[] {
  if (shown.kind !== 'link') {
    return [shown.kind === 'write' ? '--bind-try' : '--ro-bind-try', shown.path, shown.path];
  }
  if (!isIn(shown.path, home.inside)) return ['--symlink', shown.target, shown.path];
  // The home is kept, and a link that is there already could not be made again.
  const real = realPath(shown.path);
  const isSafe = real !== undefined && !hidden.secret.some((each) => isIn(real, each) || isIn(each, real));
  return isSafe ? ['--ro-bind-try', real, shown.path] : [];
}
