import { readFileSync } from 'node:fs';
import { openSession, post, type RawAnswer } from './clients.ts';
import { parseAnswer } from './machine-pid.ts';
import { type LogLine, type RunningProxy } from './start-proxy.ts';

/** What one request came to, as tests ask of it. */
export interface Outcome {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly tookMs: number;
  /** `performance.now()` of its end, to say which of two came first. */
  readonly endedAt: number;
  /** Of a tool that answered. */
  readonly text: string | undefined;
  readonly result: unknown;
  readonly error: OutcomeError | undefined;
}

export interface OutcomeError {
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly source: string; readonly code: string; readonly executed: string };
}

/** A client on a raw session: sees statuses, headers and errors as they are, and never asks twice by itself. */
export interface Guest {
  readonly session: string;
  request(method: string, params?: object): Promise<Outcome>;
  call(name: string, args?: object): Promise<Outcome>;
  /** Of the process that answers, or of which a tool of its tells. */
  pid(tool?: string): Promise<number>;
  /** DELETE: the session is over. */
  leave(): Promise<void>;
}

export async function openGuest(proxy: RunningProxy, tenant: string): Promise<Guest> {
  const { url, keys } = proxy;
  const key = keys[tenant] ?? '';
  const session = await openSession(url, key);
  if (session === '') throw new Error(`No session for ${tenant}`);
  let lastId = 0;
  const request = (method: string, params: object = {}): Promise<Outcome> =>
    ask(url, key, { jsonrpc: '2.0', id: `${session}/${++lastId}`, method, params }, session);
  const call = (name: string, args: object = {}) => request('tools/call', { name, arguments: args });
  return {
    session,
    request,
    call,
    async pid(tool = 'whoami') {
      const { text, error } = await call(tool);
      if (text === undefined) throw new Error(`No answer from ${tenant}: ${JSON.stringify(error)}`);
      return (parseAnswer(text) as { pid: number }).pid;
    },
    async leave() {
      const headers = { authorization: `Bearer ${key}`, 'mcp-session-id': session };
      await fetch(url, { method: 'DELETE', headers });
    },
  };
}

/** One POST, whatever it is; checks that the answer is to the question that was asked. */
export async function ask(
  url: string,
  key: string,
  body: Readonly<Record<string, unknown>>,
  session?: string,
): Promise<Outcome> {
  const startedAt = performance.now();
  const headers: Record<string, string> = session === undefined ? {} : { 'mcp-session-id': session };
  const answer = await post(url, key, body, headers);
  const endedAt = performance.now();
  const { id, result, error } = JSON.parse(lastMessage(answer)) as {
    id: unknown;
    result?: { content?: { text: string }[] };
    error?: OutcomeError;
  };
  if (id !== body['id'])
    throw new Error(`Asked ${String(body['id'])}, answered ${String(id)}: ${answer.text}`);
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    tookMs: endedAt - startedAt,
    endedAt,
    text: result?.content?.[0]?.text,
    result,
    error,
  };
}

/** A call that takes long is answered as an event stream, whose last event is the answer. */
function lastMessage({ headers, text }: RawAnswer): string {
  if (headers.get('content-type') !== 'text/event-stream') return text;
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  return data.at(-1)?.slice('data: '.length) ?? 'null';
}

/** The proxy's own code of what went wrong; `ok` if nothing did. */
export const codeOf = ({ error }: Outcome): string =>
  error ? (error.data?.code ?? String(error.code)) : 'ok';

/** The log's lines of one event, of one tenant. */
export const eventsOf = ({ logs }: RunningProxy, event: string, tenant?: string): readonly LogLine[] =>
  logs.filter((line) => line.event === event && (tenant === undefined || line['tenant'] === tenant));

/** `count` promises of the same, all at once. */
export const atOnce = <Value>(
  count: number,
  make: (index: number) => Promise<Value>,
): Promise<readonly Value[]> => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** Is a process of this id running? One that was killed and that its parent has not looked at yet is not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}
