import { featureOf } from '../mcp/lists.ts';
import { memberOf } from '../mcp/members.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import { keepNewest } from '../mcp/keep-newest.ts';
import type { Worker } from './worker.ts';

/** The oldest go when there are more than so many; a longer cursor is not remembered, in characters. */
const maxCursors = 16;
const maxCursorLength = 4096;

/**
 * Which worker is to be asked for a page of a caller's lists. A cursor may mean nothing to another process of the same
 * server than the one that gave it; and what one process says has changed, another may not know yet, or never.
 */
export class Pages {
  readonly #givers = new Map<string, Worker>();
  /** Who said last that a list has changed, by what the list is about. */
  readonly #tellers = new Map<string, Worker>();

  /** A worker answered a request for a list. */
  note(worker: Worker, method: string, response: Message): void {
    const cursor = valueOf(response, memberOf(response.resultMembers, 'nextCursor'));
    if (typeof cursor !== 'string' || cursor.length > maxCursorLength) return;
    for (const [key, giver] of this.#givers) if (!giver.isOpen) this.#givers.delete(key);
    keepNewest(this.#givers, keyOf(method, cursor), worker, maxCursors);
  }

  /** A worker said so. `feature` is `tools`, `prompts` or `resources`. */
  changed(worker: Worker, feature: string): void {
    for (const [key, teller] of this.#tellers) if (!teller.isOpen) this.#tellers.delete(key);
    this.#tellers.set(feature, worker);
  }

  /** The worker that gave the cursor in this request for a list; without a cursor, the one that last said it had changed. */
  giverOf(request: Message): Worker | undefined {
    const feature = featureOf(request.method);
    if (feature === undefined) return undefined;
    const { cursor } = paramsOf(request);
    if (cursor === undefined) return this.#tellers.get(feature);
    return typeof cursor === 'string' ? this.#givers.get(keyOf(request.method, cursor)) : undefined;
  }
}

const keyOf = (method: string, cursor: string) => `${method} ${cursor}`;
