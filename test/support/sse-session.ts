import { eventually } from './eventually.ts';
import { type Exchange, mcpHeaders, send } from './raw-session.ts';

export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

/** A client of 2024-11-05, spoken by hand. */
export interface SseSession {
  readonly stream: Exchange;
  /** Where to POST. */
  readonly endpoint: string;
  readonly events: () => readonly SseEvent[];
  /** POSTs one text as it is. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<Exchange>;
  /** POSTs a request, and waits for its answer on the stream; the answer as it was sent. */
  ask(id: string, method: string, params?: object): Promise<string>;
  initialize(capabilities?: object): Promise<string>;
}

/** Whole events as they were sent; comments are none. */
function eventsIn(text: string): SseEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const [, event = 'message', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data };
    });
}

export const getStream = (url: string, key: string, headers: Readonly<Record<string, string>> = {}) =>
  send(url, {
    method: 'GET',
    headers: { ...mcpHeaders(key), accept: 'text/event-stream', ...headers },
  });

export async function openSse(url: string, key: string): Promise<SseSession> {
  const stream = await getStream(url, key);
  if (stream.status !== 200) throw new Error(`No stream: HTTP ${stream.status} ${await stream.ended}`);
  const events = () => eventsIn(stream.text);
  const [first] = await eventually(() => events().length > 0 && events());
  const endpoint = new URL(first!.data, url).href;
  const post: SseSession['post'] = (body, headers = {}) =>
    send(endpoint, { headers: { ...mcpHeaders(key), ...headers }, body });
  const ask: SseSession['ask'] = async (id, method, params = {}) => {
    const answers = () =>
      events().filter(({ data }) => data.includes(`"id":${id},`) && !data.includes('"method"'));
    const before = answers().length;
    const taken = await post(
      `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${JSON.stringify(params)}}`,
    );
    if (taken.status !== 202) throw new Error(`HTTP ${taken.status} ${await taken.ended}`);
    return eventually(() => answers()[before]?.data);
  };
  const initialize = async (capabilities: object = {}) => {
    const clientInfo = { name: 'old', version: '1' };
    const answer = await ask('"init"', 'initialize', {
      protocolVersion: '2024-11-05',
      capabilities,
      clientInfo,
    });
    await post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    return answer;
  };
  return { stream, endpoint, events, post, ask, initialize };
}
