import { featureOf } from '../mcp/lists.ts';
import { memberOf } from '../mcp/members.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import { keepNewest } from '../mcp/keep-newest.ts';
import type { Worker } from './worker.ts';

/** The oldest go when there are more than so many; a longer cursor is not remembered, in characters. */
const maxCursors = 16;
const maxCursorLength = 4096;

/** Who gave the cursors of a caller's lists: a cursor may mean nothing to another process of the same server. */
export class Pages {
  readonly #givers = new Map<string, Worker>();

  /** A worker answered a request for a list. */
  note(worker: Worker, method: string, response: Message): void {
    const cursor = valueOf(response, memberOf(response.resultMembers, 'nextCursor'));
    if (typeof cursor !== 'string' || cursor.length > maxCursorLength) return;
    for (const [key, giver] of this.#givers) if (!giver.isOpen) this.#givers.delete(key);
    keepNewest(this.#givers, keyOf(method, cursor), worker, maxCursors);
  }

  /** The worker that gave the cursor in this request for a list, if it is known. */
  giverOf(request: Message): Worker | undefined {
    if (featureOf(request.method) === undefined) return undefined;
    const { cursor } = paramsOf(request);
    return typeof cursor === 'string' ? this.#givers.get(keyOf(request.method, cursor)) : undefined;
  }
}

const keyOf = (method: string, cursor: string) => `${method} ${cursor}`;
