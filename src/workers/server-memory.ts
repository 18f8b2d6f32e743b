import { z } from 'zod';
import type { ServerFacts } from '../mcp/handshake.ts';
import { memberOf } from '../mcp/members.ts';
import { type Message, readMessage } from '../mcp/message.ts';
import type { StateFile } from '../state/state-file.ts';
import { commandVersion } from './era-book.ts';
import type { WorkerKind } from './kind.ts';
import type { ServerSpec } from './spec.ts';

/** What a server said of itself and what lists it showed, the last time it ran as it is now. */
export interface ServerMemory {
  facts(kind: WorkerKind): ServerFacts | undefined;
  /** The answer to a list request that came without a cursor. */
  list(kind: WorkerKind, method: string): Message | undefined;
  /** The lists that are remembered for this kind. */
  methods(kind: WorkerKind): readonly string[];
  noteFacts(kind: WorkerKind, facts: ServerFacts): void;
  /** True if it is another list than the one remembered before. */
  noteList(kind: WorkerKind, method: string, response: Message): boolean;
}

/** A longer list is not remembered, in bytes. */
const maxListBytes = 256 * 1024;
/** So many kinds of clients are remembered; a rarer one waits for its worker. */
const maxKinds = 8;

const factsShape = z.object({
  era: z.enum(['legacy', 'modern']),
  initialize: z.looseObject({
    protocolVersion: z.string(),
    capabilities: z.record(z.string(), z.unknown()),
  }),
  discover: z.looseObject({ capabilities: z.record(z.string(), z.unknown()) }),
  identity: z.string(),
  said: z.string().optional(),
  saidModern: z.string().optional(),
});
/** By kind: what was said, and the JSON of each list's result. */
const kindsShape = z.record(
  z.string(),
  z.object({ facts: factsShape.optional(), lists: z.record(z.string(), z.string()) }),
);
type Remembered = z.infer<typeof kindsShape>[string];

const nothing: ServerMemory = {
  facts: () => undefined,
  list: () => undefined,
  methods: () => [],
  noteFacts: () => undefined,
  noteList: () => false,
};

/** The memory of one generation of one server of one tenant. */
export function openServerMemory(file: StateFile, spec: ServerSpec): ServerMemory {
  if (!spec.pool.remember || spec.pool.sharing === 'exclusive') return nothing;
  const generation = `${spec.generation} ${commandVersion(spec)}`;
  const kinds = new Map(readKinds(file, generation));
  const save = () => {
    file.write(() => ({ generation, kinds: Object.fromEntries(kinds) }));
  };

  function entryOf({ key }: WorkerKind): Remembered | undefined {
    const known = kinds.get(key);
    if (known || kinds.size >= maxKinds) return known;
    const made: Remembered = { lists: {} };
    kinds.set(key, made);
    return made;
  }

  return {
    facts: (kind) => kinds.get(kind.key)?.facts,
    list(kind, method) {
      const text = kinds.get(kind.key)?.lists[method];
      return text === undefined
        ? undefined
        : readMessage(Buffer.from(`{"jsonrpc":"2.0","id":0,"result":${text}}`), 256);
    },
    methods: (kind) => Object.keys(kinds.get(kind.key)?.lists ?? {}),
    noteFacts(kind, facts) {
      const entry = entryOf(kind);
      if (!entry || JSON.stringify(entry.facts) === JSON.stringify(facts)) return;
      entry.facts = facts;
      save();
    },
    noteList(kind, method, response) {
      const entry = entryOf(kind);
      const { result, resultMembers, bytes } = response;
      if (!entry || !result || memberOf(resultMembers, 'nextCursor')) return false;
      if (result.end - result.start > maxListBytes) return false;
      const text = bytes.toString('utf8', result.start, result.end);
      const before = entry.lists[method];
      if (before === text) return false;
      entry.lists[method] = text;
      save();
      return before !== undefined;
    },
  };
}

function readKinds(file: StateFile, generation: string): [string, Remembered][] {
  const { generation: known, kinds } = file.read();
  const parsed = kindsShape.safeParse(kinds);
  return known === generation && parsed.success ? Object.entries(parsed.data) : [];
}
