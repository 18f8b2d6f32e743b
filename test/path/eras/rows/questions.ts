import { expect } from 'vitest';
import { type Cell, foldersPerProcess, isToldByProxy } from '../cell.ts';
import { isProxied, type Row, said, saidJson, type Verdict } from '../row.ts';
import { type Stage } from '../stage.ts';

const named = { action: 'accept', content: { name: 'ada' } };
const sampled = { role: 'assistant', model: 'test-model', content: { type: 'text', text: 'sampled by ada' } };

/** What a tool made of the answers, and which questions the client was asked on the way. */
async function asking({ client }: Stage, tool: string): Promise<unknown> {
  const before = client.asked.length;
  const answer = saidJson(await client.call(tool));
  const asked = client.asked.slice(before).map(({ method }) => method);
  return { answer, asked: asked.toSorted() };
}

const elicited = ['elicitation/create'];

/** What a server asks of its client, which 2026-07-28 does in the answer of a call. */
export const questions: readonly Row[] = [
  {
    kind: '`elicitation/create`: a form',
    observe: (stage) => asking(stage, 'elicit'),
    whole: () => ({ answer: { name: named }, asked: elicited }),
  },
  {
    kind: '`elicitation/create`: a page',
    observe: (stage) => asking(stage, 'elicit_url'),
    whole: () => ({ answer: { page: { action: 'accept' } }, asked: elicited }),
  },
  {
    kind: '`sampling/createMessage`',
    observe: (stage) => asking(stage, 'sample'),
    whole: () => ({ answer: { model: sampled }, asked: ['sampling/createMessage'] }),
  },
  {
    kind: '`sampling/createMessage` with tools',
    observe: (stage) => asking(stage, 'sample_tools'),
    whole: () => ({
      answer: { model: { ...sampled, content: { type: 'tool_use', id: 'use-1', name: 'clock', input: {} } } },
      asked: ['sampling/createMessage'],
    }),
  },
  {
    kind: '`roots/list`',
    observe: (stage) => asking(stage, 'roots'),
    whole: () => ({
      answer: { roots: { roots: [{ uri: 'file:///ada', name: 'ada' }] } },
      asked: ['roots/list'],
    }),
    verdict: onlyOwned,
  },
  {
    kind: 'two questions of one call at once',
    observe: (stage) => asking(stage, 'two_questions'),
    whole: () => ({
      answer: { name: named, model: sampled },
      asked: ['elicitation/create', 'sampling/createMessage'],
    }),
  },
  {
    kind: 'two questions of one call, one after the other',
    observe: (stage) => asking(stage, 'two_rounds'),
    whole: () => ({
      answer: { name: named, city: { action: 'accept', content: { city: 'Łódź' } } },
      asked: [...elicited, ...elicited],
    }),
  },
  {
    kind: 'a question in `prompts/get`',
    async observe({ client }) {
      const outcome = await client.ask('prompts/get', { name: 'ask_name' });
      return 'error' in outcome ? outcome : outcome.result['messages'];
    },
    whole: () => [{ role: 'user', content: { type: 'text', text: JSON.stringify({ name: named }) } }],
  },
  {
    kind: 'a question in `resources/read`',
    async observe({ client }) {
      const outcome = await client.ask('resources/read', { uri: 'test://asking' });
      return 'error' in outcome ? outcome : outcome.result['contents'];
    },
    whole: () => [{ uri: 'test://asking', text: JSON.stringify({ name: named }) }],
  },
  {
    kind: 'two clients asked at the same time, each its own question',
    async observe(stage) {
      const clients = [stage.client, await stage.second()];
      return Promise.all(clients.map(async (client) => saidJson(await client.call('ask_and_hold'))));
    },
    whole: () => ['ada', 'alan'].map((name) => ({ name: { action: 'accept', content: { name } } })),
  },
  {
    kind: 'a question to a client that has not said it can answer',
    observe: async (stage) => saidJson(await (await stage.plain()).call('elicit')),
    whole: ({ client, worker }) =>
      client === 'modern'
        ? { error: -32021 }
        : worker === 'legacy'
          ? { name: { error: -32601 } }
          : { toolError: expect.stringContaining('elicitation') as unknown },
    verdict: ({ client, worker }) =>
      client === 'legacy' && worker === 'modern'
        ? { refused: 'error -32603: the server asks nobody who cannot answer', seen: { error: -32603 } }
        : undefined,
  },
  {
    kind: '`notifications/elicitation/complete`',
    exists: (cell) => cell.worker === 'legacy',
    async observe({ client }) {
      const before = client.heard.length;
      await client.call('elicit_url');
      return client.heard.slice(before).filter(({ method }) => method.endsWith('/complete')).length;
    },
    whole: () => 1,
    verdict: ({ client }) =>
      client === 'modern' ? { lossy: '2026-07-28 has no such message', seen: 0 } : undefined,
  },
  {
    kind: 'error -32042, a page to be visited before a call',
    exists: ({ worker }) => worker === 'legacy',
    async observe({ client }) {
      const before = client.asked.length;
      const outcome = await client.call('needs_url');
      const asked = client.asked.slice(before).map(({ params }) => params['url']);
      if ('result' in outcome) return { answer: said(outcome), asked };
      // Left as it was found, for who comes next.
      await client.call('needs_url');
      return { error: outcome.error.code, data: outcome.error.data, asked };
    },
    whole: ({ client }) =>
      client === 'modern'
        ? { answer: 'visited', asked: ['https://example.com/sign-in'] }
        : {
            error: -32042,
            data: { elicitations: [expect.objectContaining({ url: 'https://example.com/sign-in' })] },
            asked: [],
          },
  },
  {
    kind: "`requestState` that is somebody else's, or was changed",
    exists: (cell) => cell.client === 'modern' && isProxied(cell),
    observe: observeState,
    whole: () => ({ first: 'input_required', forged: -32602, stranger: -32602, rightful: 'complete' }),
  },
  {
    kind: 'a question while the client has left another without an answer',
    exists: (cell) => cell.client === 'modern' && isProxied(cell),
    async observe(stage) {
      const peer = await stage.raw();
      const ask = async () =>
        JSON.parse((await peer.ask('tools/call', '"name":"elicit","arguments":{}')).text) as RawResult;
      const answers = [await ask(), await ask(), await ask()];
      return answers.map(({ result }) => result?.resultType);
    },
    whole: () => ['input_required', 'input_required', 'input_required'],
  },
];

function onlyOwned(cell: Cell): Verdict | undefined {
  if (!isToldByProxy(cell)) return undefined;
  const seen = { answer: expect.anything() as unknown, asked: [] };
  return { lossy: foldersPerProcess, seen };
}

interface RawResult {
  readonly result?: {
    readonly resultType: string;
    readonly requestState?: string;
    readonly inputRequests?: Readonly<Record<string, unknown>>;
  };
  readonly error?: { readonly code: number };
}

/** Another letter where all its bits count: at the very end, two may stand for the same bytes. */
const forgedFrom = (state: string) => state.replace(/.(?=.{4}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));

/** Two rounds by hand: by the second at the latest there is a state that the gateway or the server has made. */
async function observeState(stage: Stage): Promise<unknown> {
  const [mine, foreign] = [await stage.raw(), await stage.rawStranger()];
  const send = async (peer: typeof mine, more = '') =>
    JSON.parse((await peer.ask('tools/call', `"name":"two_rounds","arguments":{}${more}`)).text) as RawResult;
  const retry = ({ result }: RawResult, state = result?.requestState) => {
    const answers = Object.keys(result?.inputRequests ?? {}).map(
      (key) => `${JSON.stringify(key)}:${JSON.stringify(named)}`,
    );
    const kept = state === undefined ? '' : `,"requestState":${JSON.stringify(state)}`;
    return `,"inputResponses":{${answers.join(',')}}${kept}`;
  };
  const first = await send(mine);
  const second = await send(mine, retry(first));
  const state = second.result?.requestState ?? '';
  const forged = await send(mine, retry(second, forgedFrom(state)));
  const stranger = await send(foreign, retry(second));
  const rightful = await send(mine, retry(second));
  return {
    first: first.result?.resultType,
    forged: forged.error?.code,
    stranger: stranger.error?.code,
    rightful: rightful.result?.resultType,
  };
}
