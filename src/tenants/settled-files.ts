import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type FileState, fileState } from './tenant-file.ts';

/** How long a file must stay as it is before it is taken for finished, in milliseconds. */
const settleMs = 100;
/** A file that vanished may be an editor's save in two steps: so many looks long it is taken as still there. */
const vanishLooks = 5;
/** After so many looks a file is taken as it is: a log, or a clock that is wrong, would hold us for ever. */
const maxLooks = 20;
/** So many files are looked at before others get a turn. */
const turn = 200;

/** The states of these files once nobody is writing them any more; undefined for those that are gone for good. */
export type SettledStates = (
  names: Iterable<string>,
  before: (name: string) => string | undefined,
) => Promise<ReadonlyMap<string, FileState | undefined>>;

/** All files that are in the making are waited for together, so a hundred of them take no longer than one. */
export function createSettler(folder: string): SettledStates {
  const stateOf = (name: string) => fileState(path.join(folder, name));

  return async (names, before) => {
    const states = new Map<string, FileState | undefined>();
    let unsure: string[] = [];
    for (const name of names) {
      const state = stateOf(name);
      states.set(name, state);
      if (isUnsure(state, before(name))) unsure.push(name);
      if (states.size % turn === 0) await new Promise(setImmediate);
    }
    const missed = new Map<string, number>();
    for (let looks = 0; unsure.length > 0 && looks < maxLooks; looks++) {
      await pause(settleMs);
      unsure = unsure.filter((name) => {
        const last = states.get(name);
        const now = stateOf(name);
        states.set(name, now);
        missed.set(name, now ? 0 : (missed.get(name) ?? 0) + 1);
        return now ? now.signature !== last?.signature : (missed.get(name) ?? 0) < vanishLooks;
      });
    }
    return states;
  };
}

function isUnsure(state: FileState | undefined, before: string | undefined): boolean {
  if (!state) return before !== undefined;
  return state.signature !== before && state.ageMs < settleMs;
}
