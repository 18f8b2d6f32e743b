import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Exchange, openRawSession, type RawSession, toolText } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Two keys on one worker: what the server says while one has the only call in flight may be the other one's business. */
const names = ['ada', 'grace'] as const;
const keyOf = (tenant: string, name: string) => `mcpx_test_${tenant}_${name}_0123456789abcdef`;

function yamlOf(tenant: string): string {
  const entries = names.map((name) => {
    const sha256 = createHash('sha256').update(keyOf(tenant, name)).digest('hex');
    return `{ name: ${name}, sha256: ${sha256} }`;
  });
  return tenantYaml(tenant, 'outspoken', `pool: { max: 1 }\nkeys: [${entries.join(', ')}]`);
}

let proxy: RunningProxy;

beforeAll(async () => {
  const tenants = ['tasks', 'given-up', 'pages'];
  proxy = await startProxy({ tenants: Object.fromEntries(tenants.map((id) => [id, yamlOf(id)])) });
});

afterAll(() => proxy.stop());

interface Party {
  readonly session: RawSession;
  /** What the server says to it of itself. */
  readonly stream: Exchange;
}

/** A client of each key, which can be asked anything and listens. */
function parties(tenant: string): Promise<Party[]> {
  const capabilities = { elicitation: { form: {}, url: {} } };
  return Promise.all(
    names.map(async (name) => {
      const session = await openRawSession(proxy.url, keyOf(tenant, name), { capabilities });
      return { session, stream: await session.listen() };
    }),
  );
}

interface Question {
  readonly id: number;
  readonly method?: string;
}
const questionsIn = ({ messages }: Exchange) =>
  messages
    .map((message) => JSON.parse(message) as Question)
    .filter(({ method }) => method?.startsWith('elic'));
/** All that came to a call of `ask`: what its server was answered. */
const answersIn = ({ messages }: Exchange) =>
  messages.map((message) => JSON.parse(toolText(message)) as Readonly<Record<string, unknown>>);
const accept = (session: RawSession, { id }: Question, by: string) =>
  session.post(JSON.stringify({ jsonrpc: '2.0', id, result: { action: 'accept', content: { by } } }));
const form = { message: 'Who are you?', requestedSchema: { type: 'object', properties: {} } };

test('a question about a task goes to whose task it is, whoever calls just now', async () => {
  const [ada, grace] = await parties('tasks');
  const params = { name: 'whoami', arguments: {}, task: { ttl: 60_000 } };
  const created = JSON.parse(await ada!.session.ask('tools/call', params)) as {
    result: { task: { taskId: string } };
  };
  const { taskId } = created.result.task;
  const _meta = { 'io.modelcontextprotocol/related-task': { taskId } };
  const asking = grace!.session.begin('ask', {
    method: 'elicitation/create',
    params: { ...form, _meta },
  });
  const [question] = await eventually(() => questionsIn(ada!.stream).length > 0 && questionsIn(ada!.stream));
  await accept(ada!.session, question!, 'ada');
  const call = await asking;
  await call.ended;
  expect(answersIn(call)).toMatchObject([{ result: { content: { by: 'ada' } } }]);
  expect(questionsIn(grace!.stream)).toEqual([]);

  const forged = { 'io.modelcontextprotocol/related-task': { taskId: 'nobody’s' } };
  const refused = await grace!.session.begin('ask', {
    method: 'elicitation/create',
    params: { ...form, _meta: forged },
  });
  await refused.ended;
  expect(answersIn(refused)).toMatchObject([{ error: { code: -32601 } }]);
});

test('after a call that was given up and not answered, another key hears nothing that could be about it', async () => {
  const [ada, grace] = await parties('given-up');
  const given = ada!.session.begin('hang', {}, { id: '"lost"' });
  await eventually(async () => (await proxy.status()).totals.inFlight === 1);
  await ada!.session.notify('notifications/cancelled', '{"requestId":"lost"}');
  await (
    await given
  ).ended;
  const log = { method: 'notifications/message', params: { level: 'error', data: 'whose?' } };
  const told = await grace!.session.begin('notify', log);
  await told.ended;
  const asked = await grace!.session.begin('ask', { method: 'elicitation/create', params: form });
  await asked.ended;
  expect(told.messages.length).toBe(1);
  expect(answersIn(asked)).toMatchObject([{ error: { code: -32601 } }]);
  // Whose call it was is told as before.
  const own = await ada!.session.begin('notify', log);
  await own.ended;
  expect(own.messages.length).toBe(2);
});

test('that a page was visited is told to who was sent there, and nobody else', async () => {
  const [ada, grace] = await parties('pages');
  const page = (elicitationId: string) => ({
    elicitationId,
    url: 'https://example.com/',
    message: 'Sign in',
  });
  const asking = await ada!.session.begin('ask', {
    method: 'elicitation/create',
    params: { mode: 'url', ...page('asked') },
  });
  const [question] = await eventually(() => questionsIn(asking).length > 0 && questionsIn(asking));
  await accept(ada!.session, question!, 'ada');
  await asking.ended;
  await ada!.session.call('fail', { code: -32042, data: { elicitations: [page('required')] } });

  const calls: Exchange[] = [];
  for (const elicitationId of ['asked', 'required', 'made up']) {
    const method = 'notifications/elicitation/complete';
    calls.push(await grace!.session.begin('notify', { method, params: { elicitationId } }));
    await calls.at(-1)!.ended;
  }
  const heard = ({ messages }: Exchange) => messages.filter((text) => text.includes('/complete')).length;
  await eventually(() => heard(ada!.stream) === 2);
  expect([...calls, grace!.stream].map(heard)).toEqual([0, 0, 0, 0]);
  expect(toolText(calls[0]!.messages[0]!)).toBe('said');
});
