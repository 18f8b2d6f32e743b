import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Clock } from '../time/clock.ts';
import type { Worker } from './worker.ts';

/** A call that waits for a worker, and for whom. */
export interface WaitingCall<Who> {
  readonly who: Who;
  readonly serve: (worker: Worker) => void;
  readonly refuse: (error: ProxyError) => void;
}

/** The calls that wait for a worker, first come first served; bounded in number and in time. */
export interface WaitingList<Who> extends Iterable<WaitingCall<Who>> {
  readonly size: number;
  /** Rejects with TENANT_BUSY when the list is full or the wait too long, or with what the call was cancelled for. */
  add(who: Who, call: Call): Promise<Worker>;
  refuseAll(error: ProxyError): void;
}

/** `waitMs` bounds the wait of each call, in milliseconds. */
export function createWaitingList<Who>(clock: Clock, max: number, waitMs: number): WaitingList<Who> {
  const list = new Set<WaitingCall<Who>>();

  function enter(
    who: Who,
    call: Call,
    resolve: (worker: Worker) => void,
    reject: (error: ProxyError) => void,
  ): void {
    const leave = () => {
      list.delete(entry);
      stopTimer();
      call.cancellation.listen(undefined);
    };
    const refuse = (error: ProxyError) => {
      leave();
      reject(error);
    };
    const serve = (worker: Worker) => {
      leave();
      resolve(worker);
    };
    const entry: WaitingCall<Who> = { who, serve, refuse };
    const stopTimer = clock.after(waitMs, () => {
      refuse(busy(`no worker became free within ${waitMs} ms`));
    });
    call.cancellation.listen(refuse);
    list.add(entry);
  }

  return {
    add(who, call) {
      if (list.size >= max)
        return Promise.reject(busy(`${max} calls of this tenant already wait for a worker`));
      return new Promise((resolve, reject) => {
        enter(who, call, resolve, reject);
      });
    },
    get size() {
      return list.size;
    },
    refuseAll(error) {
      for (const entry of [...list]) entry.refuse(error);
    },
    [Symbol.iterator]: () => list.values(),
  };
}

/** Chance keeps the refused from coming back all at once. */
const busy = (why: string) =>
  new ProxyError('TENANT_BUSY', `Try again shortly: ${why}`, { retryAfterMs: 1000 + Math.random() * 4000 });
