import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Controller, controllers, counting, type Version } from './limits.ts';

/** A tree of cgroups that is mounted here, and where in it we are. */
export interface Hierarchy {
  readonly version: Version;
  /** Of the controllers that we use, those it has. */
  readonly controllers: readonly Controller[];
  /** Absolute: the cgroup that ours are made in, the one this process was started in. */
  readonly base: string;
  /** It is the top of what can be seen, and not the machine's: a container's own. */
  readonly isContainer: boolean;
}

/** Where v2 wants the proxy's own processes: beside the servers' cgroups, because none may be in one that has others in it. */
export const leafName = 'mcp-tenant-proxy';

/** The hierarchies that can be used: v2 where it has controllers for us, else those of v1. */
export function findHierarchies(): Hierarchy[] {
  const all = parseHierarchies(read('/proc/self/mountinfo'), read('/proc/self/cgroup'));
  const found = all.map(withControllers).filter((each) => each.controllers.length > 0);
  const unified = found.filter(({ version }) => version === 2);
  return unified.length > 0 ? unified : found;
}

/** From proc(5) `mountinfo` and `cgroup`. Those of v2 do not tell their controllers there, and have none yet. */
export function parseHierarchies(mountinfo: string, cgroup: string): Hierarchy[] {
  const places = cgroup.trim().split('\n').map(placeOf);
  const found = new Map<string, Hierarchy>();
  for (const { version, held, root, mountPoint } of mountinfo.split('\n').flatMap(mountOf)) {
    const place = places.find(({ names }) => (version === 2 ? names === '' : isOf(names, held)));
    const inside = place && insideOf(root, place.path);
    const key = `${version} ${held.join()}`;
    if (inside === undefined || found.has(key)) continue;
    const own = path.join(mountPoint, inside);
    const base = path.basename(own) === leafName ? path.dirname(own) : own;
    found.set(key, { version, controllers: held, base, isContainer: base === mountPoint });
  }
  return [...found.values()];
}

interface Mount {
  readonly version: Version;
  readonly held: readonly Controller[];
  /** What of the hierarchy is to be seen. */
  readonly root: string;
  readonly mountPoint: string;
}

function mountOf(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root = '', mountPoint = ''] = before.split(' ').map(unescaped);
  const [type, , options = ''] = after.split(' ');
  if (type === 'cgroup2') return [{ version: 2, held: [], root, mountPoint }];
  const held = [...controllers, counting].filter((each) => options.split(',').includes(each)) as Controller[];
  return type === 'cgroup' && held.length > 0 ? [{ version: 1, held, root, mountPoint }] : [];
}

function placeOf(line: string): { names: string; path: string } {
  const [, names = '', ...rest] = line.split(':');
  return { names, path: rest.join(':') };
}

const isOf = (names: string, held: readonly Controller[]): boolean =>
  held.every((each) => names.split(',').includes(each));

/** The way from what is mounted to us; undefined if we are not in it. */
function insideOf(root: string, place: string): string | undefined {
  // Seen from a namespace, what is above its top: how we are called there, nobody tells.
  if ([root, place].some((each) => each.startsWith('/..'))) return undefined;
  const way = path.relative(root, place);
  return way.startsWith('..') ? undefined : way;
}

function withControllers(hierarchy: Hierarchy): Hierarchy {
  if (hierarchy.version === 1) return hierarchy;
  const words = read(path.join(hierarchy.base, 'cgroup.controllers')).trim().split(' ');
  // The machine's own top has no type, and may have processes in it beside other cgroups.
  const isContainer = hierarchy.isContainer && existsSync(path.join(hierarchy.base, 'cgroup.type'));
  return { ...hierarchy, isContainer, controllers: controllers.filter((each) => words.includes(each)) };
}

/** Blanks are written as \040 there, and the like. */
const unescaped = (word: string): string =>
  word.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
