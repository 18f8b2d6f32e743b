import path from 'node:path';
import { isIn, realPath } from '../../workers/sandbox/visible-files.ts';
import type { ServerDefinition } from '../definition.ts';
import type { Warn } from './warn.ts';

/** The folders that decide what the proxy runs and as whom: absolute. */
export interface Ground {
  /** Of the configuration, which relative paths start from. */
  readonly folder: string;
  readonly tenants: string;
  readonly state: string;
}

/** Where what stands under `sandbox` begins, and what no server is shown: absolute. Looked up only where it is needed. */
export interface Sight {
  readonly folder: string;
  readonly hidden: () => readonly string[];
}

const lists = ['read', 'write'] as const;

/** What stands under `sandbox` and cannot be shown: a sandbox that is made now is made without it. */
export function warnOfUnseenPaths(
  { sandbox }: ServerDefinition,
  { folder, hidden }: Sight,
  warn: Warn,
): void {
  for (const list of lists) {
    for (const [index, written] of sandbox[list].entries()) {
      const place = ['sandbox', list, index];
      const real = realPath(path.resolve(folder, written));
      if (real === undefined) {
        warn(
          'MISSING_PATH',
          place,
          'This is not there, or the proxy may not look at it; servers that start now do without it',
        );
      } else if (hidden().some((each) => isIn(real, realPath(each) ?? each))) {
        warn(
          'HIDDEN_PATH',
          place,
          'No server is shown this: it is, or lies in, what the proxy keeps for itself; put what the server needs elsewhere',
        );
      }
    }
  }
}

/** A server that may write around what decides what the proxy runs, or starts in a folder around it. */
export function warnOfWideFolders({ cwd, sandbox }: ServerDefinition, ground: Ground, warn: Warn): void {
  const told = (place: readonly PropertyKey[], held: string, advice: string) =>
    warn('WIDE_FOLDER', place, `This folder holds ${held}, which ${advice}`);
  for (const [index, written] of sandbox.write.entries()) {
    const held = heldBy(path.resolve(ground.folder, written), ground);
    if (held !== undefined)
      told(
        ['sandbox', 'write', index],
        held,
        'no server should write around; name the folders in it that it needs',
      );
  }
  const start = path.resolve(ground.folder, cwd ?? '.');
  // The configuration's own is where servers start that say nothing.
  const held = start === ground.folder ? undefined : heldBy(start, ground);
  if (held !== undefined)
    told(['cwd'], held, 'a server sees in part then; let it start in a folder of its own');
}

/** What of the ground a folder holds, in words; undefined if nothing. */
function heldBy(folder: string, { folder: configuration, tenants, state }: Ground): string | undefined {
  const names = { 'the configuration': configuration, 'the tenants folder': tenants, state };
  const real = realPath(folder) ?? folder;
  const held = Object.entries(names).filter(([, each]) => isIn(realPath(each) ?? each, real));
  return held.length === 0 ? undefined : held.map(([name]) => name).join(' and ');
}
