import type { Call } from '../calls/call.ts';
import type { Waiter } from '../mcp/multiplexer.ts';
import type { AttachedLine } from './attached-line.ts';

/** A call that is on a worker, and whose it is. */
export interface CallOfLine {
  readonly call: Call;
  readonly line: AttachedLine;
}

/** Others wait on the proxy's own account. */
export const isCall = (waiter: Waiter): waiter is Waiter & CallOfLine => 'line' in waiter;

/** The calls among those who wait for an answer, the first to come first. */
export const callsAmong = (waiters: Iterable<Waiter>): readonly CallOfLine[] => [...waiters].filter(isCall);
