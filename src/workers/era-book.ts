import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../time/clock.ts';
import { keepNewest } from '../mcp/keep-newest.ts';
import type { EraVerdict } from './server-eras.ts';
import type { ServerSpec } from './spec.ts';
import type { StateFile } from '../state/state-file.ts';

/** A verdict older than this is asked for anew, in milliseconds. */
const validMs = 7 * 86_400_000;

interface Entry extends EraVerdict {
  /** When it was found out, milliseconds since 1970. */
  readonly at: number;
}

/** The eras of all servers seen so far, kept from one run of the proxy to the next. */
export interface EraBook {
  find(spec: ServerSpec): EraVerdict;
  note(spec: ServerSpec, verdict: EraVerdict): void;
}

const unknown: EraVerdict = { legacy: undefined, modern: undefined };
/** Older entries go first. */
const maxEntries = 5000;

export function createEraBook(file: StateFile, clock: Pick<Clock, 'wall'>): EraBook {
  const entries = new Map<string, Entry>(Object.entries(file.read() as Record<string, Entry>));
  return {
    find(spec) {
      const entry = entries.get(commandVersion(spec));
      return entry && isProven(entry) && clock.wall() - entry.at < validMs ? entry : unknown;
    },
    note(spec, { legacy, modern }) {
      keepNewest(entries, commandVersion(spec), { legacy, modern, at: clock.wall() }, maxEntries);
      file.write(() => Object.fromEntries(entries));
    },
  };
}

/** That a server speaks neither may only mean that its credentials were wrong. */
const isProven = ({ legacy, modern }: EraVerdict) => legacy === true || modern === true;

/**
 * The same for the same program: its command line, and size and date of the files named in it. No secret goes in, and
 * tenants with the same server share what is known of it.
 */
export function commandVersion({ command, args, cwd }: ServerSpec): string {
  const files = [command, ...args].map((word) => stampOf(path.resolve(cwd, word)));
  return createHash('sha256')
    .update(JSON.stringify([command, args, files]))
    .digest('hex')
    .slice(0, 32);
}

function stampOf(file: string): string | undefined {
  try {
    const stat = statSync(file);
    return stat.isFile() ? `${stat.size} ${stat.mtimeMs}` : undefined;
  } catch {
    // Most words are no names of files, and some cannot even be.
    return undefined;
  }
}
