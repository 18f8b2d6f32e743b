import { featureOf } from '../mcp/lists.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import { tellListChanged } from './attribution.ts';
import type { AttachedLine } from './attached-line.ts';
import type { WorkerKind } from './kind.ts';
import type { Recalled } from './line.ts';
import type { Pool } from './pool.ts';
import type { ServerMemory } from './server-memory.ts';
import type { Worker } from './worker.ts';

export interface RecollectionParts {
  /** The generation in force. */
  readonly pool: () => Pool;
  /** All sessions of the server, and callers who listen. */
  readonly lines: Iterable<AttachedLine>;
  readonly listChanged: () => void;
}

/** Answers for a server that has no worker just now, from what it answered the last time. Wrong memory heals itself. */
export class Recollection {
  readonly #parts: RecollectionParts;
  /** Lists that were shown from memory, by kind, and not compared since. */
  readonly #shown = new Set<string>();

  constructor(parts: RecollectionParts) {
    this.#parts = parts;
  }

  /** What the server says of itself; a worker is on its way, and will say it again or otherwise. */
  facts(kind: WorkerKind): ServerFacts | undefined {
    const pool = this.#parts.pool();
    const facts = pool.memory.facts(kind);
    if (facts) warm(pool, kind);
    return facts;
  }

  list(kind: WorkerKind, { method }: Message): Recalled | undefined {
    const pool = this.#parts.pool();
    if (isThere(kind, pool)) return undefined;
    const response = pool.memory.list(kind, method);
    const facts = pool.facts.get(kind) ?? pool.memory.facts(kind);
    if (!response || !facts) return undefined;
    this.#shown.add(`${kind.key} ${method}`);
    warm(pool, kind);
    return { response, speaker: { kind, facts, serial: 0 } };
  }

  /** A worker showed a list. */
  note(kind: WorkerKind, { method }: Message, response: Message): void {
    const isOther = this.#parts.pool().memory.noteList(kind, method, response);
    if (this.#shown.delete(`${kind.key} ${method}`) && isOther) this.#tell(method);
  }

  /** A worker is there: does it show the lists that were shown before? Where not, clients are told. */
  async compare(memory: ServerMemory, { kind, facts, talk }: Worker): Promise<void> {
    if (facts) memory.noteFacts(kind, facts);
    for (const method of memory.methods(kind)) {
      const response = await talk.inquire(method, {});
      const isOther = response?.result && memory.noteList(kind, method, response);
      this.#shown.delete(`${kind.key} ${method}`);
      if (isOther) this.#tell(method);
    }
  }

  #tell(method: string): void {
    this.#parts.listChanged();
    tellListChanged(this.#parts.lines, featureOf(method) ?? 'tools');
  }
}

/** Whoever needs the worker will hear why it does not start. */
function warm(pool: Pool, kind: WorkerKind): void {
  pool.warm(kind).catch(() => undefined);
}

/** Is there a worker of this kind that answers? */
const isThere = (kind: WorkerKind, { workers }: Pool) =>
  [...workers].some((worker) => worker.isOpen && worker.kind === kind);
