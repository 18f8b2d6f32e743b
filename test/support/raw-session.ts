import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Fewer sockets than the proxy takes (`limits.connections`), however many calls a test has in flight. */
const agent = new Agent({ keepAlive: true, maxSockets: 500 });

/** One HTTP exchange, which can be looked at while its answer is still on its way. */
export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body so far, as it was sent. */
  readonly text: string;
  /** The JSON-RPC messages so far, as they were sent: the whole body, or the data of each event of a stream. */
  readonly messages: readonly string[];
  /** Settles with the whole body; rejects if the connection is cut. */
  readonly ended: Promise<string>;
  /** Stops reading, as a client does that is overwhelmed; and goes on. */
  pause(): void;
  resume(): void;
  /** Hangs up. */
  close(): void;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Hangs up before there is an answer. */
  readonly signal?: AbortSignal;
}

/** Resolves as soon as the answer's head is there. */
export function send(url: string, sending: Sending): Promise<Exchange> {
  const { method = 'POST', headers = {}, body, signal } = sending;
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent, ...(signal && { signal }) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      const ended = new Promise<string>((atEnd, atCut) => {
        response.once('end', () => atEnd(text));
        response.once('error', atCut);
      });
      // Who does not wait for the end does not care how it came.
      ended.catch(() => undefined);
      const isStream = String(response.headers['content-type']).startsWith('text/event-stream');
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        ended,
        get text() {
          return text;
        },
        get messages() {
          return isStream ? eventsIn(text) : [text];
        },
        pause: () => void response.pause(),
        resume: () => void response.resume(),
        close: () => void response.destroy(),
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** The data of each whole event; comments are none, and an event without data holds no message. */
function eventsIn(text: string): string[] {
  const events = text.split('\n\n').slice(0, -1);
  return events.flatMap((event) => /^data: (.+)$/m.exec(event)?.[1] ?? []);
}

export const mcpHeaders = (key: string, more: Readonly<Record<string, string>> = {}) => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  ...more,
});

export interface CallOptions {
  /** As JSON text, so that a test decides every byte of it. */
  readonly id?: string;
  /** Of `_meta.progressToken`, as JSON text. */
  readonly token?: string;
}

/** A client's session, spoken by hand: what the SDK would never send can be sent. */
export interface RawSession {
  readonly id: string;
  /** POSTs one text as it is. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<Exchange>;
  /** Starts a `tools/call`. */
  begin(name: string, args?: object, options?: CallOptions): Promise<Exchange>;
  /** The answer to a `tools/call`, as it was sent; empty if there was none. */
  call(name: string, args?: object, options?: CallOptions): Promise<string>;
  /** The text that a tool answered with. */
  text(name: string, args?: object): Promise<string>;
  /** Any other request; the answer as it was sent. */
  ask(method: string, params?: object): Promise<string>;
  notify(method: string, params?: string): Promise<Exchange>;
  /** Opens the stream of what the server says of itself. */
  listen(): Promise<Exchange>;
}

export async function openRawSession(
  url: string,
  key: string,
  { capabilities = {}, version = '2025-11-25' }: { capabilities?: object; version?: string } = {},
): Promise<RawSession> {
  const params = { protocolVersion: version, capabilities, clientInfo: { name: 'raw', version: '1' } };
  const opening = await send(url, {
    headers: mcpHeaders(key),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  const answer = await opening.ended;
  const id = opening.headers['mcp-session-id'];
  if (typeof id !== 'string') throw new Error(`No session: HTTP ${opening.status} ${answer}`);
  const own = { 'mcp-session-id': id };

  const post: RawSession['post'] = (body, headers = {}) =>
    send(url, { headers: mcpHeaders(key, { ...own, ...headers }), body });
  const begin: RawSession['begin'] = (name, args = {}, { id: callId = '1', token } = {}) => {
    const meta = token === undefined ? '' : `,"_meta":{"progressToken":${token}}`;
    const inner = `{"name":${JSON.stringify(name)},"arguments":${JSON.stringify(args)}${meta}}`;
    return post(`{"jsonrpc":"2.0","id":${callId},"method":"tools/call","params":${inner}}`);
  };
  const notify: RawSession['notify'] = (method, inner = '{}') =>
    post(`{"jsonrpc":"2.0","method":"${method}","params":${inner}}`);

  await (
    await notify('notifications/initialized')
  ).ended;
  return {
    id,
    post,
    begin,
    notify,
    call: async (...call) => answerOf(await begin(...call)),
    text: async (name, args) => toolText(await answerOf(await begin(name, args))),
    ask: async (method, asked = {}) =>
      answerOf(await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: asked }))),
    listen: () =>
      send(url, { method: 'GET', headers: { ...mcpHeaders(key, own), accept: 'text/event-stream' } }),
  };
}

/**
 * The answer itself, as it was sent, whether alone or at the end of a stream: any answer may become a stream, if only
 * for a sign of life ahead of it. Empty if there was none.
 */
export async function answerOf(exchange: Exchange): Promise<string> {
  await exchange.ended;
  return exchange.messages.at(-1) ?? '';
}

/** An answer of the server as its fixture writes it, to the byte. */
export const answerLine = (id: string, text: string): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify({ content: [{ type: 'text', text }] })}}`;

/** The text in a tool's answer. */
export function toolText(message: string): string {
  const { result } = JSON.parse(message) as { result?: { content: { text: string }[] } };
  return result?.content[0]?.text ?? '';
}

/** What an error of the proxy's own says. */
export interface ToldError {
  readonly code: number;
  readonly message: string;
  readonly data: {
    readonly source: string;
    readonly code: string;
    readonly executed: string;
    readonly retryable: boolean;
    readonly requestId?: string;
  };
}

export function errorIn(message: string): ToldError {
  return (JSON.parse(message) as { error: ToldError }).error;
}
