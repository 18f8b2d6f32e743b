import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, callText, connect } from '../support/clients.ts';
import { parseAnswer } from '../support/machine-pid.ts';
import {
  answerLine,
  answerOf,
  errorIn,
  mcpHeaders,
  openRawSession,
  type RawSession,
  send,
} from '../support/raw-session.ts';
import { processesWith, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Ids of equal length, so that no canary is the beginning of another. */
const tenants = Array.from({ length: 50 }, (_, index) => `t${String(index + 1).padStart(2, '0')}`);
const [first = '', second = ''] = tenants;
const canaryOf = (tenant: string) => `canary-of-${tenant}`;
const anyCanary = /canary-of-t\d\d/g;

const sessionsEach = 3;
const callsEach = 36;
/** `npm run soak` asks a million times. */
const rounds = process.env['SOAK'] === undefined ? 1 : 186;

/** In the proxy's own environment: one that nobody asks for, and one that a tenant's file names. */
const proxySecret = `proxy-secret-${randomBytes(12).toString('hex')}`;
const tokenOf = { [first]: `token-${randomBytes(12).toString('hex')}` };

const otherKey = `mcpx_other_${randomBytes(32).toString('hex')}`;
const twoKeys = [
  `mcpx_one_${randomBytes(32).toString('hex')}`,
  `mcpx_two_${randomBytes(32).toString('hex')}`,
];
const entryOf = (key: string, name: string) =>
  `{ name: ${name}, sha256: ${createHash('sha256').update(key).digest('hex')} }`;

const blab = 'console.error(process.env.CANARY, btoa(process.env.CANARY)); process.exit(1)';
/** Prints its secret where an operator looks for its last words, and never starts. */
const blabber = `
tenant: blabber
server:
  command: ${JSON.stringify(process.execPath)}
  args: ['-e', ${JSON.stringify(blab)}]
  env: { CANARY: canary-of-t99 }
`;

interface WhoAmI {
  readonly pid: number;
  readonly canary: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

let proxy: RunningProxy;
let sessions: Map<string, RawSession[]>;
const pidsOf = new Map<string, Set<number>>();

beforeAll(async () => {
  const files = tenants.map((id) => [id, tenantYaml(id, 'echo')] as const);
  proxy = await startProxy({
    tenants: {
      ...Object.fromEntries(files),
      [first]: tenantYaml(first, 'echo', '', { TOKEN: '${TOKEN_OF_T01}' }),
      pair: tenantYaml(
        'pair',
        'echo',
        `keys: [${twoKeys.map((key, at) => entryOf(key, `k${at}`)).join(', ')}]`,
      ),
      blabber,
    },
    // Fifty processes start at once, however slow the machine.
    config: 'limits: { loopDelay: 0s }',
    env: { PROXY_SECRET: proxySecret, TOKEN_OF_T01: tokenOf[first]! },
  });
  const opened = await Promise.all(tenants.map(openSessions));
  sessions = new Map(opened);
});

afterAll(() => proxy.stop());

async function openSessions(tenant: string): Promise<[string, RawSession[]]> {
  const own: RawSession[] = [];
  for (let count = 0; count < sessionsEach; count++) own.push(await openRawSession(proxy.url, keyOf(tenant)));
  return [tenant, own];
}

const keyOf = (tenant: string): string => proxy.keys[tenant]!;
const sessionOf = (tenant: string): RawSession => sessions.get(tenant)![0]!;

describe('fifty tenants at once, all with the same ids', () => {
  /** What call number `n` of a session asks, and the text that must come back. */
  function question(tenant: string, session: number, n: number): [string, object, string] {
    const own = `${canaryOf(tenant)} zażółć 🙂 session ${session} call ${n}`;
    if (n % 6 === 0) return ['env', { name: 'CANARY' }, JSON.stringify(canaryOf(tenant))];
    // Answers overtake one another, so that nothing can be right by its order alone.
    if (n % 6 === 1) return ['sleep', { ms: session * 40 + n }, `slept ${session * 40 + n}`];
    return ['echo', { text: own }, own];
  }

  /** What is wrong with one answer, if anything. */
  async function wrong(tenant: string, session: number, n: number): Promise<string | undefined> {
    const id = n % 2 === 0 ? '1' : '"1"';
    const [tool, args, text] = question(tenant, session, n);
    const exchange = await sessions.get(tenant)![session]!.begin(tool, args, { id });
    const answer = await answerOf(exchange);
    const everything = exchange.text + JSON.stringify(exchange.headers);
    const foreign = (everything.match(anyCanary) ?? []).filter((canary) => canary !== canaryOf(tenant));
    if (foreign.length > 0) return `${tenant} saw ${foreign.join()}`;
    return answer === answerLine(id, text) ? undefined : `${tenant} asked for ${text} and got ${answer}`;
  }

  /** Tenants take turns, so that calls of all of them are in flight at any moment. */
  function askAll(): Promise<string | undefined>[] {
    const turns = Array.from({ length: callsEach * sessionsEach }, (_, at) => at);
    return turns.flatMap((at) =>
      tenants.map((tenant) => wrong(tenant, at % sessionsEach, Math.floor(at / sessionsEach))),
    );
  }

  test(
    'every one of 5400 answers is the right one to the byte',
    async () => {
      let answers = 0;
      for (let round = 0; round < rounds; round++) {
        const problems = await Promise.all(askAll());
        answers += problems.length;
        expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      }
      expect(answers).toBe(rounds * 5400);
      if (rounds > 1) console.log(`${answers} answers, each the right one to the byte`);
    },
    rounds * 60_000,
  );

  test('every tenant is served by processes of its own, and no process by two', async () => {
    await Promise.all(
      tenants.flatMap((tenant) =>
        sessions.get(tenant)!.map(async (session) => {
          const me = parseAnswer(await session.text('whoami')) as WhoAmI;
          expect(me.canary).toBe(canaryOf(tenant));
          pidsOf.set(tenant, (pidsOf.get(tenant) ?? new Set()).add(me.pid));
        }),
      ),
    );
    const served = [...pidsOf.values()].flatMap((pids) => [...pids]);
    expect(pidsOf.size).toBe(tenants.length);
    expect(new Set(served).size).toBe(served.length);
    const spawned = proxy.logs.filter(({ event }) => event === 'worker.spawned');
    expect(new Set(spawned.map(({ pid }) => pid)).size).toBe(spawned.length);
    for (const { tenant, pid } of spawned) {
      for (const [id, pids] of pidsOf) if (pids.has(Number(pid))) expect(tenant).toBe(id);
    }
  });

  test('the official client sees its own tenant only', async () => {
    const ten = tenants.slice(0, 10);
    await Promise.all(
      ten.map(async (tenant) => {
        const client = await connect(proxy.url, keyOf(tenant));
        const texts = Array.from({ length: 20 }, (_, n) => `${canaryOf(tenant)} ${n}`);
        const echoed = await Promise.all(texts.map((text) => callText(client, 'echo', { text })));
        expect(echoed).toEqual(texts);
        expect((await callJson<WhoAmI>(client, 'whoami')).canary).toBe(canaryOf(tenant));
        await client.close();
      }),
    );
  });
});

describe('what a process is given', () => {
  const environ = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);

  test('its environment is its own variables and a few harmless ones, and nothing else', async () => {
    const me = parseAnswer(await sessionOf(first).text('whoami')) as WhoAmI;
    const { isolation } = await proxy.status();
    const ofTheWall = isolation === 'process only' ? [] : ['TMPDIR'];
    const expected = [
      'CANARY',
      'HOME',
      'MCPX_WORKER',
      'PATH',
      'PYTHONUNBUFFERED',
      ...ofTheWall,
      'TOKEN',
    ].toSorted();
    expect(me.env).toEqual(expected);
    const entries = environ(me.pid);
    expect(entries.map((entry) => entry.split('=', 1)[0]).toSorted()).toEqual(expected);
    expect(entries).toContain(`TOKEN=${tokenOf[first]!}`);
  });

  test('what only the proxy knows is in no process of any tenant', () => {
    const pids = processesWith('canary-of-t');
    expect(pids.length).toBeGreaterThanOrEqual(tenants.length);
    for (const pid of pids) {
      const text = environ(pid).join('\n');
      expect(text).not.toContain(proxySecret);
      // Named by the file of the first tenant, so only its processes have it.
      expect(text.includes(tokenOf[first]!)).toBe(text.includes(canaryOf(first)));
      expect(new Set(text.match(anyCanary)).size).toBe(1);
    }
  });

  test("a client's key is in no process", () => {
    for (const pid of processesWith('canary-of-t')) {
      const text = environ(pid).join('\n') + readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      for (const tenant of tenants) expect(text).not.toContain(keyOf(tenant));
    }
  });
});

describe('secrets are told to nobody', () => {
  /** Everything an operator or a stranger can read, with a server that prints its secret and fails among it. */
  async function everythingSaid(): Promise<Map<string, string>> {
    const said = new Map<string, string>();
    const refused = await send(proxy.url, {
      headers: mcpHeaders(keyOf('blabber')),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }),
    });
    said.set('the error of a server that does not start', await refused.ended);
    expect(refused.status).toBe(503);
    const failed = await proxy.logged(({ event }) => event === 'worker.failed');
    // Its last words are there, and so the secret would be.
    expect(String(failed['stderrTail'])).toContain('REDACTED');
    for (const args of [
      ['status'],
      ['status', '--json'],
      ['tenant', 'list'],
      ['key', 'list', first],
      ['check'],
    ]) {
      const { out, err } = await proxy.run(...args);
      expect(out.length).toBeGreaterThan(0);
      said.set(`proxy ${args.join(' ')}`, out + err);
    }
    said.set('the admin socket', JSON.stringify(await proxy.status()));
    for (const path of ['healthz', 'readyz', 'metrics', 'status', '']) {
      const answer = await send(new URL(`/${path}`, proxy.url).href, { method: 'GET' });
      said.set(`/${path}`, await answer.ended);
    }
    for (const pid of [proxy.pid, ...processesWith('canary-of-t')])
      said.set(`arguments of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    said.set('the log', JSON.stringify(proxy.logs));
    return said;
  }

  test(
    'not in logs, status, problems, errors, metrics and arguments',
    async () => {
      const secrets = [
        ...tenants.flatMap((tenant) => [canaryOf(tenant), keyOf(tenant)]),
        ...[proxySecret, tokenOf[first]!, 'canary-of-t99', btoa('canary-of-t99')],
      ];
      for (const [place, text] of await everythingSaid())
        expect
          .soft(
            secrets.filter((secret) => text.includes(secret)),
            place,
          )
          .toEqual([]);
    },
    // Of a million answers there is much to read.
    30_000 + rounds * 2000,
  );
});

describe('a session belongs to the key that opened it', () => {
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } });
  const notification = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

  /** Everything an answer says, but for what differs from one request to the next. */
  async function allSaid(method: string, key: string, sessionId: string, body?: string): Promise<object> {
    const answer = await send(proxy.url, {
      method,
      headers: mcpHeaders(key, { 'mcp-session-id': sessionId }),
      ...(body === undefined ? {} : { body }),
    });
    const text = (await answer.ended).replace(/,"requestId":"[^"]+"/, '');
    const { 'content-type': type, 'cache-control': cache, 'www-authenticate': challenge } = answer.headers;
    return { status: answer.status, text, names: Object.keys(answer.headers), type, cache, challenge };
  }

  const ways: [string, string | undefined][] = [
    ['POST', call],
    ['POST', notification],
    ['GET', undefined],
    ['DELETE', undefined],
  ];

  async function expectUnknown(key: string, foreign: string): Promise<void> {
    const never = randomBytes(32).toString('base64url');
    for (const [method, body] of ways) {
      const answer = await allSaid(method, key, foreign, body);
      expect(answer).toEqual(await allSaid(method, key, never, body));
      expect(answer).toMatchObject({ status: 404 });
      expect(errorIn((answer as { text: string }).text).data).toMatchObject({
        source: 'proxy',
        code: 'SESSION_NOT_FOUND',
        executed: 'no',
      });
    }
  }

  test("with another tenant's key it does not exist, in the words for one that never was", async () => {
    await expectUnknown(keyOf(second), sessionOf(first).id);
    // The DELETE among them ended nothing.
    expect(await sessionOf(first).text('echo', { text: 'still here' })).toBe('still here');
  });

  test('with another key of the same tenant neither', async () => {
    const [one = '', two = ''] = twoKeys;
    const session = await openRawSession(proxy.url, one);
    await expectUnknown(two, session.id);
    expect(await session.text('echo', { text: 'still here' })).toBe('still here');
    const own = await openRawSession(proxy.url, two);
    expect(await own.text('echo', { text: 'mine' })).toBe('mine');
  });

  test('without a key it is worth nothing', async () => {
    const answer = await send(proxy.url, {
      headers: mcpHeaders(otherKey, { 'mcp-session-id': sessionOf(first).id }),
      body: call,
    });
    expect(answer.status).toBe(401);
    expect(errorIn(await answer.ended).data.code).toBe('UNAUTHENTICATED');
  });
});

describe('only the key says who the tenant is', () => {
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'env', arguments: { name: 'CANARY' } },
  };
  const naming = (tenant: string) => sessionOf(first).post(JSON.stringify(call), { 'x-tenant-id': tenant });

  test('a header that names the own tenant is fine', async () => {
    const answer = await naming(first);
    expect(answer.status).toBe(200);
    expect(await answerOf(answer)).toBe(answerLine('1', JSON.stringify(canaryOf(first))));
  });

  test('a header that names another is refused, in the same words whether there is such a tenant', async () => {
    const [existing, absent] = await Promise.all([naming(second), naming('nobody')]);
    expect([existing.status, absent.status]).toEqual([403, 403]);
    const text = await existing.ended;
    expect(errorIn(text).data).toMatchObject({ source: 'proxy', code: 'FORBIDDEN', executed: 'no' });
    expect(await absent.ended).toBe(text);
  });

  test('so is one that names two', async () => {
    expect((await naming(`${first}, ${second}`)).status).toBe(403);
  });

  test('a name in arguments, query or _meta chooses nothing', async () => {
    const body = {
      ...call,
      params: {
        name: 'env',
        arguments: { name: 'CANARY', tenant: second, _tenant: { id: second } },
        _meta: { tenant: second },
      },
    };
    const answer = await send(`${proxy.url}?tenant=${second}`, {
      headers: mcpHeaders(keyOf(first), { 'mcp-session-id': sessionOf(first).id }),
      body: JSON.stringify(body),
    });
    expect(await answerOf(answer)).toBe(answerLine('1', JSON.stringify(canaryOf(first))));
  });
});
