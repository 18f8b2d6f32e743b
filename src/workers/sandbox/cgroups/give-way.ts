import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Branch } from './cgroups.ts';
import { counting } from './limits.ts';
import { foldersIn } from './tree.ts';

/** How often is looked, in milliseconds: who keeps a processor busy is found by the second look or the third. */
const everyMs = 50;
/** Looking may take this part of a processor: among very many it is done less often. */
const share = 0.05;

/** So many processors kept busy are too many. */
const alwaysFrom = 0.5;
/** Where there are no processors left, nobody may get that much: there it is who has at least half of what the greatest has. */
const neverBelow = 0.1;
/** Processors are left as long as so much of their time is. */
const leftFrom = 0.25;

/** Who gets fewer than that for so many milliseconds has calmed down, or starves because of all others: it shares again. */
const calmBelow = 0.03;
const calmAfterMs = 250;

/** The cgroup of the run itself, which has those of tenants in it, and they those of their workers. */
const whole = '';
const deepest = 2;
const depthOf = (place: string): number => (place === whole ? 0 : place.split(path.sep).length);
/** A server that starts is busy for a moment. It is told of who is found so this many times, `calmAfterMs` apart. */
const toldAt = 5;
/** So many workers are remembered. */
const mostKnown = 1000;

/** How much processor time was taken until when; both in milliseconds. */
interface Reading {
  readonly usedMs: number;
  readonly atMs: number;
}

/** What was read at the look before, and what this one knows. */
interface Look {
  readonly before: ReadonlyMap<string, Reading>;
  readonly atMs: number;
  readonly isShort: boolean;
}

/**
 * Lets tenants and workers that keep processors busy give way to all others (`cpu.idle`: Linux 5.15 and newer). Equal shares
 * alone would let whoever wakes up wait for the end of the other's turn, some milliseconds at each step of a call. Only who
 * wants more than there is feels that it gives way.
 */
export class GiveWay {
  /** Where processor time is counted, and where it is given. */
  readonly #counted: Branch | undefined;
  readonly #given: Branch | undefined;
  /** Of the last look: a place is the way to a cgroup from that of the run. */
  #seen = new Map<string, Reading>();
  #idle: Reading | undefined;
  #restUntil = 0;
  readonly #giving = new Map<string, Reading>();
  readonly #yields: (worker: string) => void;
  /** How often each worker was found to be busy. */
  readonly #times = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `yields` hears of each worker that gives way for long, once. */
  constructor(branches: readonly Branch[], yields: (worker: string) => void) {
    this.#yields = yields;
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
    this.#times.clear();
  }

  /** Nobody can keep more processors busy than all together: at rest, one file is read. */
  #look(): void {
    const [before, atMs] = [this.#seen, performance.now()];
    if (atMs < this.#restUntil) return;
    const begun = process.cpuUsage();
    this.#seen = new Map();
    const reading = this.#note(whole, atMs);
    const busy = reading ? processors(before.get(whole), reading) : 0;
    const isShort = busy >= neverBelow && this.#isShort(atMs);
    if (isShort || busy >= alwaysFrom) {
      this.#lookInto(whole, { before, atMs, isShort });
      // Who is outside, the proxy above all, has to do with the run as a whole.
      if (reading && this.#giving.size > 0) this.#mark(whole, reading);
    }
    for (const [place, since] of this.#giving)
      if (atMs - since.atMs >= calmAfterMs) this.#askAgain(place, since, atMs);
    const { user, system } = process.cpuUsage(begun);
    this.#restUntil = atMs + (user + system) / 1000 / share;
  }

  /** Those directly below, and what is below them if they are busy, or may be. */
  #lookInto(parent: string, look: Look): void {
    const { before, atMs, isShort } = look;
    const found = foldersIn(path.join(this.#counted?.folder ?? '', parent)).flatMap((name) => {
      const place = path.join(parent, name);
      const reading = this.#note(place, atMs);
      return reading ? [{ place, reading, busy: processors(before.get(place), reading) }] : [];
    });
    const from = this.#thresholdFor(found, isShort);
    for (const { place, reading, busy } of found) {
      if (busy >= from && (parent === whole || this.#giving.has(parent))) this.#mark(place, reading);
      const isDue = busy >= neverBelow || !before.has(place);
      if (isDue && depthOf(place) < deepest) this.#lookInto(place, look);
    }
  }

  /** What is used up by who gives way already is left to all others. */
  #thresholdFor(found: readonly { place: string; busy: number }[], isShort: boolean): number {
    const isMade = found.some(({ place, busy }) => this.#giving.has(place) && busy >= neverBelow);
    if (!isShort || isMade) return alwaysFrom;
    const greatest = Math.max(...found.map(({ busy }) => busy));
    return Math.min(alwaysFrom, Math.max(neverBelow, greatest / 2));
  }

  #note(place: string, atMs: number): Reading | undefined {
    const reading = this.#read(place, atMs);
    if (reading) this.#seen.set(place, reading);
    return reading;
  }

  /** Were there hardly any processors left since the look before? */
  #isShort(atMs: number): boolean {
    const before = this.#idle;
    const idleMs = readIdleMs();
    this.#idle = idleMs === undefined ? undefined : { usedMs: idleMs, atMs };
    return (
      before !== undefined &&
      this.#idle !== undefined &&
      processors(before, this.#idle) < leftFrom * availableParallelism()
    );
  }

  #mark(place: string, reading: Reading): void {
    if (this.#giving.has(place) || !this.#tell(place, '1')) return;
    this.#gives(place, reading);
  }

  #gives(place: string, reading: Reading): void {
    this.#giving.set(place, reading);
    if (depthOf(place) < deepest) return;
    const times = (this.#times.get(place) ?? 0) + 1;
    if (times === 1 && this.#times.size >= mostKnown) this.#times.clear();
    this.#times.set(place, times);
    if (times === toldAt) this.#yields(path.basename(place));
  }

  #askAgain(place: string, since: Reading, atMs: number): void {
    const reading = this.#read(place, atMs);
    const isAlone = place === whole && this.#giving.size === 1;
    if (reading && !isAlone && processors(since, reading) >= calmBelow) return this.#gives(place, reading);
    this.#giving.delete(place);
    if (reading) this.#tell(place, '0');
  }

  /** Undefined if it is gone. */
  #read(place: string, atMs: number): Reading | undefined {
    const { folder = '', version } = this.#counted ?? {};
    try {
      if (version === 1) return { usedMs: Number(readText(folder, place, 'cpuacct.usage')) / 1e6, atMs };
      const told = /^usage_usec (\d+)$/m.exec(readText(folder, place, 'cpu.stat'));
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

/** How many were kept busy, or idle, between two readings. Who is seen for the first time is not known to have any. */
function processors(before: Reading | undefined, now: Reading): number {
  return before ? (now.usedMs - before.usedMs) / (now.atMs - before.atMs) : 0;
}

/** Of all processors together, since the machine began; undefined if it cannot be read for the moment. */
function readIdleMs(): number | undefined {
  try {
    // User, nice, system, idle, waiting for a disk, …; in hundredths of a second.
    const [, , , , idle = 0, waiting = 0] = readText('/proc/stat').split(/ +/, 6).map(Number);
    return (idle + waiting) * 10;
  } catch {
    return undefined;
  }
}

const readText = (...way: string[]): string => readFileSync(path.join(...way), 'latin1');
