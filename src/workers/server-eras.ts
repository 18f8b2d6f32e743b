import type { Era } from '../mcp/versions.ts';
import { ProbePatience } from './probe-patience.ts';

/** What is known of the eras that one version of a server's command speaks; undefined: not known. */
export interface EraVerdict {
  readonly legacy: boolean | undefined;
  readonly modern: boolean | undefined;
}

/** Which era to speak with a server. */
export interface ServerEras {
  /** The era of the worker for a client of `client`; undefined if the server must be asked first. */
  workerEra(client: Era): Era | undefined;
  /** A handshake of `era` was answered, or refused. True if the other era should be tried instead. */
  learned(era: Era, speaks: boolean): boolean;
  /** How long a process that is asked whether it speaks the modern era may be silent, in milliseconds. */
  readonly patienceMs: number;
  /** It was, for `ms` milliseconds. Until a legacy process has shown how long a start takes, nobody knows what that means. */
  unanswered(ms: number): void;
  /** A process has answered a legacy handshake, `ms` milliseconds after it was started. */
  startedIn(ms: number): void;
  /** A process came to no handshake of `era` for another reason: it ended, was silent, or talked nonsense. */
  stumbled(era: Era): void;
}

const otherThan = (era: Era): Era => (era === 'legacy' ? 'modern' : 'legacy');

/** One that refuses what it spoke before is another server by now: that it did not speak the other era says nothing any more. */
function revised(verdict: EraVerdict, era: Era, speaks: boolean): EraVerdict {
  const other = otherThan(era);
  const isAnother = verdict[era] === true && !speaks && verdict[other] === false;
  return { ...verdict, [era]: speaks, ...(isAnother && { [other]: undefined }) };
}

/**
 * `fixed` is what the tenant's file says, if it does. `known` may come from another tenant with the same command, and who
 * says no may mean its credentials: it is no more than a guess until a process of this tenant's has answered, and only
 * then is what is known saved for others.
 */
export function createServerEras(
  fixed: Era | undefined,
  known: EraVerdict,
  save: (verdict: EraVerdict) => void,
): ServerEras {
  let verdict = known;
  const proven = new Set<Era>();
  let isModernDoubtful = false;
  const patience = new ProbePatience();

  function keep(next: EraVerdict): void {
    const isNews = next.legacy !== verdict.legacy || next.modern !== verdict.modern;
    verdict = next;
    if (isNews && proven.size > 0) save(verdict);
  }

  const silenceMeant = (isAnswer: boolean) => isAnswer && keep({ ...verdict, modern: false });

  return {
    workerEra(client) {
      if (fixed) return fixed;
      if (isModernDoubtful || patience.isInDoubt) return 'legacy';
      const { legacy, modern } = verdict;
      if (client === 'legacy') return legacy === false && modern !== false ? 'modern' : 'legacy';
      if (modern === undefined) return legacy === false ? 'modern' : undefined;
      return modern ? 'modern' : 'legacy';
    },
    get patienceMs() {
      return patience.ms;
    },
    unanswered(ms) {
      if (!fixed && verdict.legacy !== false) silenceMeant(patience.silent(ms));
    },
    startedIn(ms) {
      if (!fixed) silenceMeant(patience.started(ms));
    },
    learned(era, speaks) {
      if (fixed) return false;
      if (speaks) proven.add(era);
      patience.heard(era, speaks);
      const isSettled = isModernDoubtful && era === 'legacy' && speaks;
      keep({ ...revised(verdict, era, speaks), ...(isSettled && { modern: false }) });
      if (era === 'legacy') isModernDoubtful = false;
      return !speaks && verdict[otherThan(era)] !== false;
    },
    stumbled(era) {
      if (!proven.has('modern')) isModernDoubtful = era === 'modern';
    },
  };
}
