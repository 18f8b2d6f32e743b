import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/servers/kit/clock.ts';
import { createHttpClient } from '../../../../src/servers/kit/http-client.ts';
import {
  type CacheIdentity,
  createTokenCache,
} from '../../../../src/servers/servicedesk-plus/oauth/token-cache.ts';
import { askForToken } from '../../../../src/servers/servicedesk-plus/oauth/token-request.ts';
import { type NoToken, TokenSource } from '../../../../src/servers/servicedesk-plus/oauth/token-source.ts';
import { withFileLock } from '../../../../src/servers/servicedesk-plus/oauth/file-lock.ts';
import { throttled } from '../../../support/service-desk/accounts.ts';
import {
  type FakeServiceDesk,
  type FakeTenant,
  startServiceDesk,
} from '../../../support/service-desk/fake-service-desk.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

/** Real HTTP, a real file, the vendor's clock for everybody. */
const minute = 60_000;
const folder = useTempFolder();
let desk: FakeServiceDesk;
let acme: FakeTenant;
let unsaved = 0;

beforeEach(async () => {
  desk = await startServiceDesk();
  acme = desk.addTenant('acme');
});
afterEach(async () => {
  await desk.close();
  expect(desk.mistakes).toEqual([]);
});

const identityOf = ({ client }: FakeTenant): CacheIdentity => ({ accountsUrl: desk.accountsUrl, ...client });

/** A process's token source; several share the folder as several processes do. */
function open(tenant = acme, at = folder.path) {
  const identity = identityOf(tenant);
  const failures: NoToken[] = [];
  const http = createHttpClient({
    vendor: 'accounts',
    origin: new URL(desk.accountsUrl),
    timeoutMs: 5_000,
    maxBytes: 65_536,
    clock: systemClock,
  });
  const source = new TokenSource({
    cache: createTokenCache(at, identity, () => (unsaved += 1)),
    ask: () => askForToken(http, identity),
    now: () => desk.clock.now,
    onToken: () => undefined,
    onFailure: (reason) => failures.push(reason),
    errorOf: (reason) => Object.assign(new Error(reason.kind), { reason }),
  });
  return Object.assign(source, { failures });
}

const issued = () => desk.accounts.issued.length;
const asked = () => desk.requests.length;
const pass = (ms: number) => (desk.clock.now += ms);
const failNext = (reply: { status: number; body: object | string }, times = 1) =>
  desk.faults.push({ match: ({ server }) => server === 'accounts', times, action: () => reply });
const lockFile = () => {
  const [name = ''] = readdirSync(folder.path);
  return folder.file(`${name}.lock`);
};

describe('one process', () => {
  test('twenty calls at once make one question, as a form', async () => {
    const source = open();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => source.get()));
    expect(new Set(tokens.map(({ text }) => text)).size).toBe(1);
    expect(issued()).toBe(1);
    expect(desk.requests[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  test('a token is renewed five minutes before it ends, not sooner', async () => {
    const source = open();
    const first = await source.get();
    pass(55 * minute - 1);
    expect((await source.get()).text).toBe(first.text);
    pass(1);
    expect((await source.get()).text).not.toBe(first.text);
    expect(issued()).toBe(2);
  });

  test.each(['invalid_code', 'invalid_client'])('%s is for good: nobody is asked again', async (error) => {
    failNext({ status: 200, body: { error } });
    const source = open();
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'refused', error } });
    pass(24 * 60 * minute);
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'refused' } });
    expect(asked()).toBe(1);
    expect(source.failures).toHaveLength(1);
  });

  test('a refusal holds for a restarted process too, and ends after ten minutes', async () => {
    desk.accounts.revoke(acme.client.refreshToken);
    await expect(open().get()).rejects.toMatchObject({ reason: { error: 'invalid_code' } });
    await expect(open().get()).rejects.toMatchObject({ reason: { error: 'invalid_code' } });
    expect(asked()).toBe(1);
    pass(10 * minute + 1);
    await expect(open().get()).rejects.toMatchObject({ reason: { error: 'invalid_code' } });
    expect(asked()).toBe(2);
  });

  test.each([200, 400] as const)(
    'throttled with %i: a minute of silence, then two, and the live token is used',
    async (status) => {
      const source = open();
      const first = await source.get();
      pass(56 * minute);
      failNext(throttled(status), 2);
      expect((await source.get()).text).toBe(first.text);
      expect((await source.get()).text).toBe(first.text);
      expect(asked()).toBe(2);
      pass(minute - 1);
      expect((await source.get()).text).toBe(first.text);
      expect(asked()).toBe(2);
      pass(1);
      expect((await source.get()).text).toBe(first.text);
      expect(asked()).toBe(3);
      pass(2 * minute - 1);
      // It has ended meanwhile, and there is nothing left to use.
      pass(1 * minute);
      expect((await source.get()).text).not.toBe(first.text);
      expect(asked()).toBe(4);
    },
  );

  test('throttled without a live token says when to come back', async () => {
    failNext(throttled(400));
    const source = open();
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'throttled', retryAfterMs: minute } });
    pass(20_000);
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'throttled', retryAfterMs: 40_000 } });
    expect(asked()).toBe(1);
  });

  test('never asks an eleventh time in ten minutes, whatever becomes of the tokens', async () => {
    const source = open();
    for (let at = 0; at < 10; at++) {
      const token = await source.get();
      source.confirm(token);
      expect(source.discard(token)).toBe(true);
      pass(1_000);
    }
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'throttled' } });
    expect([issued(), asked()]).toEqual([10, 10]);
    pass(10 * minute);
    await expect(source.get()).resolves.toBeDefined();
  });

  test('a web page in place of an answer is a failure that passes', async () => {
    failNext({ status: 502, body: '<html>bad gateway</html>' });
    const source = open();
    await expect(source.get()).rejects.toMatchObject({
      reason: { kind: 'failed', error: 'HTTP 502 without JSON' },
    });
    pass(minute);
    await expect(source.get()).resolves.toBeDefined();
  });

  test('an accounts server that is away is tried again after five seconds', async () => {
    const source = open();
    await desk.close();
    await expect(source.get()).rejects.toMatchObject({ reason: { kind: 'failed', retryAfterMs: 5_000 } });
  });

  test('a token that the API did not take is replaced once, and not again and again', async () => {
    const source = open();
    const first = await source.get();
    expect(source.discard(first)).toBe(true);
    const second = await source.get();
    expect(second.text).not.toBe(first.text);
    expect(source.discard(second)).toBe(false);
    expect((await source.get()).text).toBe(second.text);
    expect(issued()).toBe(2);
    pass(3 * minute);
    expect(source.discard(second)).toBe(true);
  });

  test('of many calls with the same dead token one replaces it', async () => {
    const source = open();
    const dead = await source.get();
    expect([source.discard(dead), source.discard(dead)]).toEqual([true, true]);
    const tokens = await Promise.all([source.get(), source.get(), source.get()]);
    expect(source.discard(dead)).toBe(true);
    expect((await source.get()).text).toBe(tokens[0].text);
    expect(issued()).toBe(2);
  });
});

describe('several processes', () => {
  test('a question is written down before it is put: a process that is killed over it has spent a token too', async () => {
    let seen = 0;
    desk.faults.push({
      match: ({ server }) => server === 'accounts',
      action: async () => {
        seen = (await createTokenCache(folder.path, identityOf(acme), () => undefined).read()).askedAt.length;
        return 'go on' as const;
      },
    });
    await open().get();
    expect(seen).toBe(1);
  });

  test('a restart takes the token from the file: a hundred starts cost one', async () => {
    const first = await open().get();
    for (let at = 0; at < 100; at++) expect((await open().get()).text).toBe(first.text);
    expect(issued()).toBe(1);
  });

  test('many that start together ask once', async () => {
    const tokens = await Promise.all(Array.from({ length: 12 }, () => open().get()));
    expect(new Set(tokens.map(({ text }) => text)).size).toBe(1);
    expect(issued()).toBe(1);
  });

  test('what one renewed the others take, also after theirs was not taken', async () => {
    const [one, other] = [open(), open()];
    const dead = await one.get();
    await other.get();
    expect(one.discard(dead)).toBe(true);
    const renewed = await one.get();
    expect(other.discard(dead)).toBe(true);
    expect((await other.get()).text).toBe(renewed.text);
    expect(issued()).toBe(2);
  });

  test('the silence after being throttled holds for all of them', async () => {
    failNext(throttled(400));
    await expect(open().get()).rejects.toThrow('throttled');
    await expect(open().get()).rejects.toThrow('throttled');
    expect(asked()).toBe(1);
  });

  test('a lock that a killed process left behind is taken over', async () => {
    await open().get();
    pass(56 * minute);
    writeFileSync(lockFile(), 'somebody');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lockFile(), longAgo, longAgo);
    await open().get();
    expect(issued()).toBe(2);
    expect(existsSync(lockFile())).toBe(false);
  });

  test('a lock that can neither be had nor taken away does not stop the work for ever', async () => {
    const lock = folder.file('lock');
    mkdirSync(path.join(lock, 'in the way'), { recursive: true });
    await expect(withFileLock(lock, () => Promise.resolve('done'), 150)).resolves.toBe('done');
  });

  test('a lock that was taken over is not taken from its new holder', async () => {
    const lock = folder.file('lock');
    await withFileLock(lock, () => {
      writeFileSync(lock, 'the next one');
      return Promise.resolve();
    });
    expect(readFileSync(lock, 'utf8')).toBe('the next one');
  });

  test('a lock that is held is waited for', async () => {
    const first = await open().get();
    const lock = lockFile();
    writeFileSync(lock, 'somebody');
    let done = false;
    const waiting = open()
      .get()
      .then((token) => {
        done = true;
        return token;
      });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(done).toBe(false);
    unlinkSync(lock);
    expect((await waiting).text).toBe(first.text);
  });
});

describe('the file', () => {
  const fileOf = () => folder.file(readdirSync(folder.path).find((name) => name.endsWith('.token')) ?? '');

  test('is readable for nobody else, and holds neither token nor credentials in the clear', async () => {
    const { text } = await open().get();
    expect(statSync(fileOf()).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(fileOf(), 'latin1');
    const { clientId, clientSecret, refreshToken } = acme.client;
    for (const secret of [text, clientId, clientSecret, refreshToken]) expect(bytes).not.toContain(secret);
    expect(readdirSync(folder.path)).toHaveLength(1);
  });

  test('is another one for other credentials, and of no use to them', async () => {
    await open().get();
    const stolen = readFileSync(fileOf());
    const mine = fileOf();
    const globex = desk.addTenant('globex');
    await open(globex).get();
    const theirs =
      readdirSync(folder.path)
        .map((name) => folder.file(name))
        .find((file) => file !== mine) ?? '';
    writeFileSync(theirs, stolen, { mode: 0o600 });
    const token = await open(globex).get();
    expect(desk.accounts.find(token.text)?.client.portal).toBe('globex');
    expect(issued()).toBe(3);
  });

  test.each([
    ['damaged', (file: string) => writeFileSync(file, 'nonsense', { mode: 0o600 })],
    ['cut short', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 40), { mode: 0o600 })],
    ['readable for others', (file: string) => chmodSync(file, 0o644)],
  ])('that is %s counts as none', async (_what, harm) => {
    await open().get();
    harm(fileOf());
    await open().get();
    expect(issued()).toBe(2);
    expect(statSync(fileOf()).mode & 0o777).toBe(0o600);
  });

  test('that is a link is not followed', async () => {
    await open().get();
    const file = fileOf();
    renameSync(file, folder.file('elsewhere'));
    symlinkSync(folder.file('elsewhere'), file);
    await open().get();
    expect(issued()).toBe(2);
  });

  test('that cannot be written is done without: the process keeps what it knows', async () => {
    const nowhere = folder.file('file');
    writeFileSync(nowhere, '');
    const source = open(acme, nowhere);
    const [token] = await Promise.all([source.get(), source.get(), source.get()]);
    expect(asked()).toBe(1);
    expect((await source.get()).text).toBe(token.text);
    pass(56 * minute);
    failNext(throttled(400));
    await source.get();
    await source.get();
    expect(asked()).toBe(2);
    expect(unsaved).toBe(1);
  });

  test('with a time from a clock that was set back does not hold for ever', async () => {
    failNext(throttled(400));
    await expect(open().get()).rejects.toThrow();
    pass(-3 * 60 * minute);
    await expect(open().get()).resolves.toBeDefined();
  });

  test('and its folder are made where there is none', async () => {
    const deep = folder.file('a', 'b');
    await open(acme, deep).get();
    expect(statSync(deep).mode & 0o777).toBe(0o700);
  });
});
