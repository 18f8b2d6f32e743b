import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Branch } from './cgroups.ts';
import { counting } from './limits.ts';
import { foldersIn } from './tree.ts';

/** How often is looked, in milliseconds: who keeps a processor busy is found by the second look or the third. */
const everyMs = 50;
/** So many processors kept busy are too many. Only who wants more than there is feels that it gives way. */
const busyFrom = 0.8;
/** Who gets fewer than that for so many milliseconds has calmed down, or starves because of all others: it shares again. */
const calmBelow = 0.1;
const calmAfterMs = 250;
/** The cgroup of the run itself, which has those of tenants in it, and they those of their workers. */
const whole = '';
const deepest = 2;

/** How much processor time a cgroup had taken, and when; both in milliseconds. */
interface Reading {
  readonly usedMs: number;
  readonly atMs: number;
}

/** What was read at the look before, and when this one is. */
interface Look {
  readonly before: ReadonlyMap<string, Reading>;
  readonly atMs: number;
}

/**
 * Lets tenants and workers that keep processors busy give way to all others (`cpu.idle`: Linux 5.15 and newer). Equal shares
 * alone would let whoever wakes up wait for the end of the other's turn, some milliseconds at each step of a call.
 */
export class GiveWay {
  /** Where processor time is counted, and where it is given. */
  readonly #counted: Branch | undefined;
  readonly #given: Branch | undefined;
  /** Of the last look: a place is the way to a cgroup from that of the run. */
  #seen = new Map<string, Reading>();
  readonly #giving = new Map<string, Reading>();
  #timer: NodeJS.Timeout | undefined;

  constructor(branches: readonly Branch[]) {
    this.#given = branches.find(({ controllers }) => controllers.includes('cpu'));
    this.#counted = branches.find(({ controllers, version }) =>
      controllers.includes(version === 2 ? 'cpu' : counting),
    );
  }

  start(): void {
    if (this.#counted && this.#given) this.#timer ??= setInterval(() => this.#look(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const [before, atMs] = [this.#seen, performance.now()];
    this.#seen = new Map();
    this.#lookAt(whole, 0, { before, atMs });
    for (const [place, since] of this.#giving)
      if (atMs - since.atMs >= calmAfterMs) this.#askAgain(place, since, atMs);
  }

  /** Nobody below can keep more processors busy than all together: at rest, one file is read. */
  #lookAt(place: string, depth: number, { before, atMs }: Look): void {
    const reading = this.#read(place, atMs);
    if (!reading) return;
    this.#seen.set(place, reading);
    if (processors(before.get(place), reading) < busyFrom) return;
    if (depth > 0) this.#mark(place, reading);
    if (depth === deepest) return;
    for (const name of foldersIn(path.join(this.#counted?.folder ?? '', place)))
      this.#lookAt(path.join(place, name), depth + 1, { before, atMs });
    // Who is outside, the proxy above all, has to do with the run as a whole.
    if (depth === 0 && this.#giving.size > 0) this.#mark(place, reading);
  }

  #mark(place: string, reading: Reading): void {
    if (!this.#giving.has(place) && this.#tell(place, '1')) this.#giving.set(place, reading);
  }

  #askAgain(place: string, since: Reading, atMs: number): void {
    const reading = this.#read(place, atMs);
    const isAlone = place === whole && this.#giving.size === 1;
    if (reading && !isAlone && processors(since, reading) >= calmBelow)
      return void this.#giving.set(place, reading);
    this.#giving.delete(place);
    if (reading) this.#tell(place, '0');
  }

  /** Undefined if it is gone. */
  #read(place: string, atMs: number): Reading | undefined {
    const { folder = '', version } = this.#counted ?? {};
    try {
      if (version === 1) return { usedMs: Number(read(folder, place, 'cpuacct.usage')) / 1e6, atMs };
      const told = /^usage_usec (\d+)$/m.exec(read(folder, place, 'cpu.stat'));
      return told ? { usedMs: Number(told[1]) / 1000, atMs } : undefined;
    } catch {
      return undefined;
    }
  }

  /** False if it is gone meanwhile, or the kernel is too old. */
  #tell(place: string, value: '0' | '1'): boolean {
    try {
      writeFileSync(path.join(this.#given?.folder ?? '', place, 'cpu.idle'), value, { flag: 'r+' });
      return true;
    } catch {
      return false;
    }
  }
}

/** How many were kept busy between two readings. Who is seen for the first time is not known to have any. */
function processors(before: Reading | undefined, now: Reading): number {
  return before ? (now.usedMs - before.usedMs) / (now.atMs - before.atMs) : 0;
}

const read = (...way: string[]): string => readFileSync(path.join(...way), 'latin1');
