import type { MirroredParameter } from '../calls/upstream.ts';
import { methods } from '../mcp/methods.ts';
import { valueOf } from '../mcp/message.ts';
import type { Clock } from '../time/clock.ts';
import type { Worker } from './worker.ts';

/** Which parameters of which tools are mirrored in headers, as far as a worker has told. */
export interface MirroredParameters {
  /** Undefined if the list of tools has not been read, or has changed since. */
  of(tool: string): readonly MirroredParameter[] | undefined;
  /** Read the list of tools from this worker. A list that does not come in time is taken for unknown, and asked for later. */
  load(worker: Worker): Promise<void>;
  forget(): void;
}

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const none: readonly MirroredParameter[] = [];
/** A list with more pages is not read to its end. */
const maxPages = 50;
/** How long calls wait for a list, all of its pages together, and how long one that did not come is not asked for again. */
const patienceMs = 10_000;
const restMs = 30_000;

/** Stdio servers never see headers, so it is the proxy that compares them with the call. */
export function createMirroredParameters(clock: Clock): MirroredParameters {
  let tools: Map<string, readonly MirroredParameter[]> | undefined;
  let loading: Promise<void> | undefined;
  /** Counts the changes, so that a list that was read before one is not taken for the one after it. */
  let changes = 0;
  let restUntil = -Infinity;

  async function read(worker: Worker): Promise<void> {
    const changesBefore = changes;
    const found = new Map<string, readonly MirroredParameter[]>();
    const giveUpAt = clock.now() + patienceMs;
    let cursor: unknown;
    for (let page = 0; page < maxPages; page++) {
      const params = cursor === undefined ? {} : { cursor };
      const response = await worker.talk.inquire(methods.listTools, params, giveUpAt - clock.now());
      // Of calls that come soon, each would wait for it in vain.
      if (!response && clock.now() >= giveUpAt) restUntil = clock.now() + restMs;
      const result = response && valueOf(response, response.result);
      // Half a list, of a worker that ended or stumbled, would have the rest of the tools go unchecked from now on.
      if (!isRecord(result)) return;
      noteAll(found, result['tools']);
      cursor = result['nextCursor'];
      if (typeof cursor !== 'string') break;
    }
    if (changes === changesBefore) tools = found;
  }

  return {
    of: (tool) => tools && (tools.get(tool) ?? none),
    load(worker) {
      if (clock.now() < restUntil) return Promise.resolve();
      loading ??= read(worker).finally(() => (loading = undefined));
      return loading;
    },
    forget() {
      changes++;
      tools = undefined;
      restUntil = -Infinity;
    },
  };
}

function noteAll(found: Map<string, readonly MirroredParameter[]>, tools: unknown): void {
  if (Array.isArray(tools)) for (const tool of tools as unknown[]) note(found, tool);
}

function note(found: Map<string, readonly MirroredParameter[]>, tool: unknown): void {
  if (!isRecord(tool) || typeof tool['name'] !== 'string') return;
  const parameters = parametersOf(tool['inputSchema'], []);
  if (parameters.length > 0) found.set(tool['name'], parameters);
}

const maxDepth = 16;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Only what is reached by `properties` alone counts (2026-07-28 transports/streamable-http, "Schema Extension"). */
function parametersOf(schema: unknown, path: readonly string[]): MirroredParameter[] {
  const properties = isRecord(schema) ? schema['properties'] : undefined;
  if (!isRecord(properties) || path.length > maxDepth) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    const here = [...path, name];
    const header = isRecord(property) ? property['x-mcp-header'] : undefined;
    const own =
      typeof header === 'string' && token.test(header)
        ? [{ header: `mcp-param-${header.toLowerCase()}`, path: here }]
        : [];
    return [...own, ...parametersOf(property, here)];
  });
}
