import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import { tryAgain } from '../calls/try-again.ts';
import type { Clock } from '../time/clock.ts';
import type { Worker } from './worker.ts';

/** Puts a call on a worker; runs in the same turn in which the worker was found free. */
export type Use<Result> = (worker: Worker) => Result | Promise<Result>;

/** A call that waits for a worker, and for whom. */
export interface WaitingCall<Who> {
  readonly who: Who;
  /** It waited for a generation before this one. */
  readonly hasMoved: boolean;
  /** Since when it waits, on the proxy's clock. */
  readonly since: number;
  /** Put it on this worker, now. */
  readonly serve: (worker: Worker) => void;
  readonly refuse: (error: Error) => void;
}

/** The calls that wait for a worker, first come first served; bounded in number and in time. */
export interface WaitingList<Who> extends Iterable<WaitingCall<Who>> {
  readonly size: number;
  /** Rejects with TENANT_BUSY or OVERLOADED when the list is full or the wait too long, or with what the call was cancelled for. */
  add<Result>(who: Who, call: Call, use: Use<Result>, hasMoved?: boolean): Promise<Result>;
  refuseAll(error: Error, isMeant?: (waiting: WaitingCall<Who>) => boolean): void;
  /**
   * Another generation takes over, and who waits here is to wait there. Who has moved before stays while something is
   * starting here: where settings change faster than workers start, it would never get one.
   */
  moveOn(isStarting: boolean): void;
}

interface PromiseEnds<Result> {
  readonly resolve: (result: Result | Promise<Result>) => void;
  readonly reject: (error: Error) => void;
}

export interface WaitingListParts {
  readonly clock: Clock;
  readonly max: number;
  /** The longest wait of a call that comes now, in milliseconds. */
  readonly waitMs: () => number;
  /** Is it the whole proxy that has no room, and not only this tenant? */
  readonly isStarved: () => boolean;
}

export function createWaitingList<Who>({
  clock,
  max,
  waitMs,
  isStarved,
}: WaitingListParts): WaitingList<Who> {
  const list = new Set<WaitingCall<Who>>();

  function enter<Result>(
    { who, hasMoved }: Pick<WaitingCall<Who>, 'who' | 'hasMoved'>,
    call: Call,
    use: Use<Result>,
    { resolve, reject }: PromiseEnds<Result>,
  ) {
    const leave = () => {
      list.delete(entry);
      stopTimer();
      call.cancellation.listen(undefined);
    };
    const refuse = (error: Error) => {
      leave();
      reject(error);
    };
    const serve = (worker: Worker) => {
      // First out of the list, then put on a worker: a call is never in two hands.
      leave();
      putOn(worker, use, { resolve, reject });
    };
    const entry: WaitingCall<Who> = { who, hasMoved, since: clock.now(), serve, refuse };
    const longest = waitMs();
    const stopTimer = clock.after(longest, () => {
      refuse(isStarved() ? overloaded() : busy(`no worker became free within ${longest} ms`));
    });
    list.add(entry);
    call.cancellation.listen(refuse);
  }

  return {
    add(who, call, use, hasMoved = false) {
      return new Promise((resolve, reject) => {
        if (list.size < max) enter({ who, hasMoved }, call, use, { resolve, reject });
        else reject(busy(`${max} calls of this tenant already wait for a worker`));
      });
    },
    get size() {
      return list.size;
    },
    refuseAll: (error, isMeant = () => true) => refuseThose(list, error, isMeant),
    moveOn: (isStarting) => refuseThose(list, replaced(), ({ hasMoved }) => !(hasMoved && isStarting)),
    [Symbol.iterator]: () => list.values(),
  };
}

function refuseThose<Who>(
  list: Iterable<WaitingCall<Who>>,
  error: Error,
  isMeant: (waiting: WaitingCall<Who>) => boolean,
): void {
  for (const entry of [...list]) if (isMeant(entry)) entry.refuse(error);
}

function putOn<Result>(worker: Worker, use: Use<Result>, { resolve, reject }: PromiseEnds<Result>): void {
  try {
    resolve(use(worker));
  } catch (thrown) {
    reject(ProxyError.from(thrown));
  }
}

/** The longest that whoever is refused is to wait, in milliseconds. */
const mostRetryMs = 5000;

const busy = (why: string) => tryAgain('TENANT_BUSY', why, mostRetryMs);

const overloaded = () =>
  tryAgain('OVERLOADED', 'all processes of the proxy are busy (workers.max)', mostRetryMs);

const replaced = () =>
  new ProxyError('UNAVAILABLE', 'The server is being replaced; ask again', { retryAfterMs: 1000 });
