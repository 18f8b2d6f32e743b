import type { Era } from './cell.ts';

/** What a request came to. Never thrown, because what is refused is compared too. */
export type Outcome =
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly code: unknown; readonly message: string; readonly data?: unknown } };

export interface Heard {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface AskOptions {
  /** Calls the request off. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number, total: number | undefined) => void;
  /** From this level on the caller wants to hear what the server logs meanwhile. */
  readonly logLevel?: string;
}

export interface Filter {
  readonly lists?: readonly ('tools' | 'prompts' | 'resources')[];
  readonly resources?: readonly string[];
}

/** An official client, of either generation and era, asked in one way. */
export interface EraClient {
  readonly name: string;
  readonly era: Era;
  /** What it was told about the server when they met. */
  readonly server: {
    readonly info: unknown;
    readonly capabilities: Readonly<Record<string, unknown>>;
    readonly instructions: unknown;
  };
  /** Every notification so far, but progress. */
  readonly heard: readonly Heard[];
  /** Every question of the server so far. */
  readonly asked: readonly Heard[];
  ask(method: string, params?: Readonly<Record<string, unknown>>, options?: AskOptions): Promise<Outcome>;
  call(tool: string, args?: Readonly<Record<string, unknown>>, options?: AskOptions): Promise<Outcome>;
  /** Hears of changes, as its era does it. Resolves with how to stop, once the server has agreed. */
  listen(filter: Filter): Promise<() => Promise<void>>;
  /** Tells the server that the client's folders have changed. */
  tellRoots(): Promise<void>;
  close(): Promise<void>;
}

export interface Options {
  readonly name: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** Everything a client can say that it can do. */
export const everything = {
  sampling: { tools: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

/** What a client answers to a question of the server: its own name, so that nobody can answer for another. */
export function answerTo(name: string, method: string, params: Readonly<Record<string, unknown>>) {
  if (method === 'roots/list') return { roots: [{ uri: `file:///${name}`, name }] };
  if (method === 'sampling/createMessage') {
    const used = { type: 'tool_use', id: 'use-1', name: 'clock', input: {} };
    const said = { type: 'text', text: `sampled by ${name}` };
    return { role: 'assistant', model: 'test-model', content: params['tools'] ? used : said };
  }
  if (params['mode'] === 'url') return { action: 'accept' };
  const { properties = {} } = params['requestedSchema'] as { properties?: object };
  return { action: 'accept', content: 'city' in properties ? { city: 'Łódź' } : { name } };
}

/** The little of a transport that is needed to listen in. */
interface Wire {
  onmessage?: ((message: never, extra?: never) => void) | undefined;
}

/**
 * Notes every notification as it arrives, once the client is connected. The SDKs themselves forget who wanted to hear of
 * a call's progress as soon as its answer is read, which on a busy machine may be in the same moment.
 */
export function tap(wire: Wire, heard: Heard[]): ProgressTokens {
  const listeners = new Map<unknown, AskOptions['onProgress']>();
  const { onmessage } = wire;
  wire.onmessage = (message: never, extra?: never) => {
    const { id, method, params = {} } = message as Partial<Heard> & { id?: unknown };
    if (method === 'notifications/progress')
      listeners.get(params['progressToken'])?.(params['progress'] as number, params['total'] as number);
    else if (method !== undefined && id === undefined) heard.push({ method, params });
    onmessage?.(message, extra);
  };
  return (params, onProgress) => {
    if (onProgress === undefined) return params;
    const progressToken = `zażółć ${listeners.size + 1}`;
    listeners.set(progressToken, onProgress);
    return { ...params, _meta: { ...(params['_meta'] as object | undefined), progressToken } };
  };
}

type Params = Readonly<Record<string, unknown>>;
type ProgressTokens = (params: Params, onProgress: AskOptions['onProgress']) => Params;

/** Whatever an SDK throws, as it was on the wire. */
export function outcomeOf(thrown: unknown): Outcome {
  const { code, message, data } = thrown as { code?: unknown; message: string; data?: unknown };
  const plain = message.replace(/^MCP error -?\d+: /, '');
  return { error: { code: code ?? 'none', message: plain, ...(data !== undefined && { data }) } };
}

export const resultOf = async (promise: Promise<unknown>): Promise<Outcome> => {
  try {
    return { result: withoutServer((await promise) as Record<string, unknown>) };
  } catch (thrown) {
    return outcomeOf(thrown);
  }
};

/** The server's name stands in every answer of 2026-07-28 and in none before: it is no part of what was asked for. */
function withoutServer({ _meta, ...result }: Record<string, unknown>): Record<string, unknown> {
  const rest = Object.entries(_meta ?? {}).filter(([key]) => key !== 'io.modelcontextprotocol/serverInfo');
  return rest.length > 0 ? { ...result, _meta: Object.fromEntries(rest) } : result;
}
