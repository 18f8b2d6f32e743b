import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { answerLine, errorIn, openRawSession, type RawSession, toolText } from '../support/raw-session.ts';
import { isAlive, type LogLine, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const MiB = 1024 ** 2;

/** Breaks of the protocol for which a worker must go, and the words for the operator. */
const violations = {
  'unknown-id': 'it answered a request that was never made',
  'wrong-type-id': 'it answered a request that was never made',
  'future-id': 'it answered a request that was never made',
  'null-id': 'it answered a request that was never made',
  longline: 'it wrote a line of more than 16777216 bytes',
  endless: 'it wrote a line of more than 16777216 bytes',
  'invalid-utf8': 'it wrote a broken message',
  'close-stdout': 'it closed its stdout, and runs on',
  'duplicate-keys': 'it wrote a broken message',
  deep: 'it wrote a broken message',
} as const;
type Violation = keyof typeof violations;
/** Bubblewrap keeps its server's pipes open, whatever that does. */
const isUnseen = (mode: string) => mode === 'close-stdout' && process.env['TEST_ISOLATION'] !== undefined;
const modes = (Object.keys(violations) as Violation[]).filter((mode) => !isUnseen(mode));
/** After these the fixture goes on to answer as it should, if nobody stops it. */
const answersAfterwards: readonly Violation[] = ['unknown-id', 'wrong-type-id', 'future-id', 'null-id'];

const oneWorker = 'pool: { max: 1 }';
const rude = (id: string, mode: string, env: Record<string, string> = {}, more = oneWorker) =>
  [id, tenantYaml(id, 'rude', more, { MODE: mode, ...env })] as const;

let proxy: RunningProxy;
let neighbour: RawSession;
let deafness: Promise<{ readonly answer: string; readonly tookMs: number }>;
let spinning: Promise<readonly string[]>;

beforeAll(async () => {
  proxy = await startProxy({
    tenants: {
      good: tenantYaml('good', 'echo'),
      ...Object.fromEntries([
        ...modes.map((mode) => rude(`bad-${mode}`, mode)),
        ...answersAfterwards.map((mode) => rude(`mean-${mode}`, mode, { THEN: 'silent' })),
        rude('doubles', 'duplicate-reply'),
        rude('flood', 'flood', { COUNT: '20000' }),
        rude('crowd', 'longline'),
        rude('large', 'longline', { BYTES: String(8 * MiB) }),
        rude('split', 'split-utf8'),
        rude('reporter', 'security-reports', { COUNT: '5000' }),
        rude('batch', 'batch'),
        rude('proto', 'proto'),
        rude('spin', 'spin', {}, `${oneWorker}\ndeadline: { call: 1s }`),
      ]),
      hog: rude('hog', 'hog')[1].replace('server:', 'server:\n  sandbox: { memory: 768MiB }'),
      chatty: tenantYaml('chatty', 'chatty', oneWorker, { STDERR_BYTES: String(32 * MiB) }),
      babbling: tenantYaml('babbling', 'chatty', oneWorker, { BANNER_LINES: '200', STDERR_BYTES: '100' }),
      deaf: tenantYaml('deaf', 'deaf', `${oneWorker}\ndeadline: { call: 25s }`),
      mute: tenantYaml('mute', 'deaf', `${oneWorker}\ndeadline: { call: 3s }`),
    },
  });
  neighbour = await openRawSession(proxy.url, keyOf('good'));
  await neighbour.text('echo', { text: 'warm' });
  // Ten seconds pass before anything can be said of it, so they pass beside everything else.
  deafness = sendMuchToTheDeaf();
  spinning = haveItSpin();
});

afterAll(() => proxy.stop());

const keyOf = (tenant: string): string => proxy.keys[tenant]!;
const open = (tenant: string) => openRawSession(proxy.url, keyOf(tenant));

/** The whole answer to one call of a tenant, in a session of its own. */
const callOf = async (tenant: string): Promise<string> =>
  (await open(tenant)).call('echo', { text: `said to ${tenant}` });

const happenedTo = (tenant: string, event: string) => (line: LogLine) =>
  line.event === event && line['tenant'] === tenant;

/** What is told of a tenant's worker that had to go, once its process is no more. */
async function stopped(tenant: string): Promise<LogLine> {
  const line = await proxy.logged(happenedTo(tenant, 'worker.misbehaved'));
  await proxy.logged(happenedTo(tenant, 'worker.exited'));
  // Behind a wall it is the wall's end that is told; what was inside is on its way out.
  await eventually(() => !isAlive(Number(line['pid'])), 1000);
  return line;
}

describe('beside a neighbour who notices nothing', () => {
  /** Slow machines and many tests at once are allowed for; a proxy that hangs is not. */
  const longestMs = 3000;
  let running = false;
  let watching: Promise<{ readonly calls: number; readonly slowestMs: number }>;
  let pid = '';

  beforeEach(async () => {
    pid = await neighbour.text('whoami');
    running = true;
    watching = watch();
    // Looked at when the test is over.
    watching.catch(() => undefined);
  });

  afterEach(async () => {
    running = false;
    const { calls, slowestMs } = await watching;
    expect(calls).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThan(longestMs);
    expect(await neighbour.text('whoami')).toBe(pid);
  });

  /** A good tenant that calls without a pause, and looks at every byte that comes. */
  async function watch() {
    let slowestMs = 0;
    let calls = 0;
    for (; running; calls++) {
      const startedAt = performance.now();
      expect(await neighbour.call('echo', { text: `call ${calls}` })).toBe(answerLine('1', `call ${calls}`));
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    }
    return { calls, slowestMs };
  }

  test.each(modes)('a server that does %s is stopped', async (mode) => {
    const tenant = `bad-${mode}`;
    const answer = await callOf(tenant);
    expect(answer).not.toContain('stolen');
    expect((await stopped(tenant))['reason']).toBe(violations[mode]);
    // What it said properly before it was stopped may still count; nothing else may.
    const mayBeProper = answersAfterwards.includes(mode);
    if (mayBeProper && answer === answerLine('1', `said to ${tenant}`)) return;
    expectBadReply(answer);
  });

  test.each(answersAfterwards)(
    'a server that does %s and no more leaves its caller with BAD_REPLY',
    async (mode) => {
      const tenant = `mean-${mode}`;
      expectBadReply(await callOf(tenant));
      await stopped(tenant);
    },
  );

  test('everybody who waited for it is told', async () => {
    const session = await open('crowd');
    const answers = await Promise.all(Array.from({ length: 5 }, () => session.call('echo', { text: 'x' })));
    for (const answer of answers) expectBadReply(answer);
  });

  test('the next call gets a new process', async () => {
    const first = await proxy.logged(happenedTo('bad-deep', 'worker.misbehaved'));
    const session = await open('bad-deep');
    const { pid: now } = JSON.parse(await session.text('whoami')) as { pid: number };
    expect(now).not.toBe(first['pid']);
    expect(isAlive(now)).toBe(true);
  });

  test('a double answer is dropped, and three are too many', async () => {
    const session = await open('doubles');
    const misbehaved = () => proxy.logs.some(happenedTo('doubles', 'worker.misbehaved'));
    for (const text of ['one', 'two']) {
      expect(await session.call('echo', { text })).toBe(answerLine('1', text));
      expect(misbehaved()).toBe(false);
    }
    expect(await session.call('echo', { text: 'three' })).toBe(answerLine('1', 'three'));
    expect((await stopped('doubles'))['reason']).toBe('it answered requests twice');
  });

  test('a flood of messages reaches nobody but who called, and ends with the answer', async () => {
    const [caller, other] = [await open('flood'), await open('flood')];
    const stream = await other.listen();
    const call = await caller.begin('echo', { text: 'after the flood' });
    await call.ended;
    expect(call.messages.at(-1)).toBe(answerLine('1', 'after the flood'));
    expect(await other.text('whoami')).toContain('canary-of-flood');
    expect(stream.messages).toEqual([]);
    stream.close();
  });

  test('a long answer within bounds comes whole', async () => {
    const answer = await callOf('large');
    expect(answer.length).toBeGreaterThan(8 * MiB);
    expect(toolText(answer)).toBe('x'.repeat(8 * MiB));
  });

  test('characters that come in halves are put together', async () => {
    const text = 'zażółć gęślą 🙂 日本語';
    expect(await (await open('split')).call('echo', { text })).toBe(answerLine('1', text));
  });

  test('messages that a server writes as one batch are taken apart', async () => {
    const session = await open('batch');
    const exchange = await session.begin('echo', { text: 'x' });
    await exchange.ended;
    const { messages } = exchange;
    expect(messages).toHaveLength(2);
    expect(messages[0]).toContain('notifications/message');
    expect(messages[1]).toBe(answerLine('1', 'x'));
    expect(proxy.logs.filter(happenedTo('batch', 'worker.misbehaved'))).toEqual([]);
  });

  test('banners on stdout and much on stderr are borne', async () => {
    const client = await connect(proxy.url, keyOf('chatty'));
    const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
    for (const text of texts) expect(await callText(client, 'echo', { text })).toBe(text);
    await client.close();
    expect(proxy.logs.filter(happenedTo('chatty', 'worker.misbehaved'))).toEqual([]);
  });

  test('what it reports is told as its own, a few times, and without its secrets', async () => {
    expect(await callOf('reporter')).toBe(answerLine('1', 'said to reporter'));
    const isReport = happenedTo('reporter', 'security.reported');
    const line = await proxy.logged(isReport);
    expect(line).toMatchObject({ level: 'warn', tenant: 'reporter', server: 'default', code: 'FORBIDDEN' });
    expect(line.msg).toBe('Server of tenant reporter reports FORBIDDEN: for globex: [REDACTED]');
    expect(line['pid']).not.toBe(1);
    expect(line['subject']).toBe('mcp://globex/x {"event":"proxy.stopped"}');
    await callOf('reporter');
    expect(proxy.logs.filter(isReport)).toHaveLength(10);
    expect(JSON.stringify(proxy.logs.filter(isReport))).not.toContain('canary');
    const { tenants: rows } = await proxy.status();
    expect(rows.filter(({ securityReports }) => securityReports > 0).map(({ id }) => id)).toEqual([
      'reporter',
    ]);
  });

  test('keys that mean something to JavaScript reach the caller as they are, and change nothing on their way', async () => {
    const session = await open('proto');
    const answer = await session.call('echo', { text: 'x' });
    expect(answer).toContain(
      '"result":{"__proto__":{"content":[]},"constructor":{"prototype":{"polluted":true}},"content":[{"type":"text","text":"kept"}]}',
    );
    expect(proxy.logs.filter(happenedTo('proto', 'worker.misbehaved'))).toEqual([]);
    expect(JSON.stringify(await proxy.status())).not.toContain('polluted');
  });

  test('a server that takes memory without end comes to its limit, and its caller hears that it ended', async () => {
    expect(errorIn(await callOf('hog')).data).toMatchObject({ code: 'CRASHED', executed: 'unknown' });
    const exited = await proxy.logged(happenedTo('hog', 'worker.exited'));
    expect(exited).toMatchObject({ reason: 'it ended by itself', cutCalls: 1 });
  });

  test('a server that only spins costs its callers their deadline, and is ended when it answers no ping', async () => {
    for (const answer of await spinning)
      expect(errorIn(answer).data).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown' });
    expect((await stopped('spin'))['reason']).toBe('it answers nothing any more, not even a ping');
  });

  test('a server that only babbles does not start, and its callers are told when to come back', async () => {
    await expect(open('babbling')).rejects.toThrow('UNAVAILABLE');
    const line = await proxy.logged(happenedTo('babbling', 'worker.misbehaved'));
    expect(line['reason']).toBe('it wrote too much to stdout that is no message');
    expect(isAlive(Number(line['pid']))).toBe(false);
  });

  test('a server that reads no more costs its caller the deadline, and nobody else anything', async () => {
    const session = await open('mute');
    expect(errorIn(await session.call('echo')).data).toMatchObject({
      code: 'TIMED_OUT',
      executed: 'unknown',
    });
  });

  test('one that leaves much unread is stopped after ten seconds', async () => {
    const { answer, tookMs } = await deafness;
    expectBadReply(answer);
    expect(tookMs).toBeGreaterThan(9000);
    expect(tookMs).toBeLessThan(20_000);
    expect((await stopped('deaf'))['reason']).toBe('it has not read its input for 10000 ms');
  });
});

async function sendMuchToTheDeaf() {
  const session = await open('deaf');
  const startedAt = performance.now();
  const answer = await session.call('echo', { text: 'x'.repeat(2 * MiB) });
  return { answer, tookMs: performance.now() - startedAt };
}

/** Three calls without a sign of life make it suspect. */
async function haveItSpin() {
  const session = await open('spin');
  return Promise.all(['one', 'two', 'three'].map((text) => session.call('echo', { text })));
}

describe('after all of it', () => {
  test('the proxy never held more than 300 MB', () => {
    const peakKb = Number(
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${proxy.pid}/status`, 'utf8'))?.[1],
    );
    expect(peakKb).toBeGreaterThan(0);
    expect(peakKb / 1024).toBeLessThan(300);
  });

  test('the log stays short and quotes nobody', () => {
    // The neighbour calls without a pause, and at `debug` each call is a line.
    const text = JSON.stringify(proxy.logs.filter(({ event }) => event !== 'call.ended'));
    expect(text.length).toBeLessThan(MiB);
    for (const word of ['stolen', 'xxxxxxxx', 'flood 1', 'said to bad']) expect(text).not.toContain(word);
  });

  test('no process is left that was told to go', async () => {
    const misbehaved = proxy.logs.filter(({ event }) => event === 'worker.misbehaved');
    expect(misbehaved.length).toBeGreaterThan(modes.length);
    await eventually(() => misbehaved.every(({ pid }) => !isAlive(Number(pid))));
  });
});

function expectBadReply(answer: string): void {
  expect(answer.startsWith('{"jsonrpc":"2.0","id":1,"error":')).toBe(true);
  expect(errorIn(answer)).toMatchObject({
    code: -31006,
    data: { source: 'proxy', code: 'BAD_REPLY', executed: 'unknown', retryable: false },
  });
}
