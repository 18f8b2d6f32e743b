import type { Call } from '../calls/call.ts';
import type { Worker } from './worker.ts';

/** So long a client may think about an answer, whoever waits for the worker that its call holds, in milliseconds. */
const safeMs = 5000;

/**
 * Calls wait in vain, and workers are held by calls whose clients were asked something and have not come back: one of
 * them is ended, so that its worker is free or can make room. It is one of the key that holds most in this way, and of
 * that key the one whose client was asked longest ago. Its call, and how long it was waited for in milliseconds; undefined
 * if there is none.
 */
export function endLongRound(
  workers: Iterable<Worker>,
  now: number,
): { readonly call: Call; readonly waitedMs: number } | undefined {
  const held = [...workers].filter(({ isOpen }) => isOpen).flatMap(({ talk }) => talk.calls.filter(isAway));
  const counts = new Map<string, number>();
  for (const { keyName } of held) counts.set(keyName, (counts.get(keyName) ?? 0) + 1);
  const [chosen] = held
    .filter((call) => now - sinceOf(call) >= safeMs)
    .toSorted(
      (a, b) => (counts.get(b.keyName) ?? 0) - (counts.get(a.keyName) ?? 0) || sinceOf(a) - sinceOf(b),
    );
  if (!chosen) return undefined;
  const waitedMs = now - sinceOf(chosen);
  chosen.visitor?.away?.giveUp();
  return { call: chosen, waitedMs };
}

const isAway = ({ visitor }: Call) => visitor?.away !== undefined;
const sinceOf = ({ visitor }: Call) => visitor?.away?.since ?? Infinity;
