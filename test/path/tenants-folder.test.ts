import { createHash } from 'node:crypto';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  callJson,
  callRaw,
  callText,
  connect,
  initializeBody,
  openSession,
  post,
} from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const effectMs = 2000;
/** Longer than a change takes to come into force, so that the call is there before and after. */
const longCallMs = 2500;
const within2s = <Value>(look: () => Promise<Value | undefined | false>) => eventually(look, effectMs);

let proxy: RunningProxy;
beforeAll(async () => {
  const ids = ['changed', 'disabled', 'deleted', 'renamed', 'loaded', 'failing', 'broken', 'rotated'];
  proxy = await startProxy({ tenants: Object.fromEntries(ids.map((id) => [id, tenantYaml(id, 'echo')])) });
});
afterAll(() => proxy.stop());

const client = (id: string, key = proxy.keys[id]!) => connect(proxy.url, key);
const canaryOf = async (key: string): Promise<string | undefined> => {
  const { status, headers } = await post(proxy.url, key, initializeBody());
  if (status !== 200) return undefined;
  const session = headers.get('mcp-session-id') ?? '';
  const { text } = await callRaw(proxy.url, key, session, { name: 'env', args: { name: 'CANARY' } });
  return /canary-[\w-]+/.exec(text)?.[0];
};
const statusFor = async (key: string) => (await post(proxy.url, key, initializeBody())).status;
const rowOf = async (id: string) => (await proxy.status()).tenants.find((tenant) => tenant.id === id);

/** A call that is with its worker for a long time; it says whether it is over. */
async function longCall(id: string) {
  const caller = await client(id);
  const call = { answer: callText(caller, 'sleep', { ms: longCallMs }), isOver: false };
  const over = () => {
    call.isOver = true;
  };
  call.answer.then(over, over);
  await eventually(async () => (await rowOf(id))?.inFlight === 1);
  return call;
}

describe('what is put into the folder is in force within two seconds', () => {
  test('a new file is a new tenant', async () => {
    proxy.write('new', tenantYaml('new', 'echo'));
    await within2s(async () => (await canaryOf(proxy.keys['new']!)) === 'canary-of-new');
  });

  test('a changed file changes the server, and the call in flight is answered by the old one', async () => {
    const call = await longCall('changed');
    proxy.write('changed', tenantYaml('changed', 'echo', '', { CANARY: 'canary-2' }));
    await within2s(async () => (await canaryOf(proxy.keys['changed']!)) === 'canary-2');
    expect(call.isOver).toBe(false);
    expect(await call.answer).toBe(`slept ${longCallMs}`);
  });

  test('a session that was there before goes on with the new server', async () => {
    const caller = await client('changed');
    const before = await callJson<{ pid: number }>(caller, 'whoami');
    proxy.write('changed', tenantYaml('changed', 'echo', '', { CANARY: 'canary-3' }));
    const after = await within2s(async () => {
      const now = await callJson<{ pid: number; canary: string }>(caller, 'whoami');
      return now.canary === 'canary-3' && now;
    });
    expect(after.pid).not.toBe(before.pid);
    await eventually(() => !isAlive(before.pid));
  });

  test('a tenant that is switched off is refused, and its call in flight is answered', async () => {
    const call = await longCall('disabled');
    const key = proxy.keys['disabled']!;
    proxy.write('disabled', tenantYaml('disabled', 'echo', 'enabled: false'));
    await within2s(async () => (await statusFor(key)) === 401);
    expect((await rowOf('disabled'))?.state).toBe('disabled');
    expect(call.isOver).toBe(false);
    expect(await call.answer).toBe(`slept ${longCallMs}`);
    proxy.write('disabled', tenantYaml('disabled', 'echo'));
    await within2s(async () => (await canaryOf(key)) === 'canary-of-disabled');
  });

  test('a tenant whose file is deleted is gone, its call in flight is answered, its processes end', async () => {
    const caller = await client('deleted');
    const { pid } = await callJson<{ pid: number }>(caller, 'whoami');
    const call = await longCall('deleted');
    proxy.remove('deleted');
    await within2s(async () => (await statusFor(proxy.keys['deleted']!)) === 401);
    expect(await rowOf('deleted')).toBeUndefined();
    expect(call.isOver).toBe(false);
    expect(await call.answer).toBe(`slept ${longCallMs}`);
    await eventually(() => !isAlive(pid));
  });

  test('a tenant that is renamed takes its key along and leaves its sessions behind', async () => {
    const key = proxy.keys['renamed']!;
    const session = await openSession(proxy.url, key);
    const sha256 = createHash('sha256').update(key).digest('hex');
    proxy.remove('renamed');
    proxy.write('heir', `${tenantYaml('heir', 'echo')}\nkeys: [{ name: test, sha256: ${sha256} }]\n`);
    await within2s(async () => (await canaryOf(key)) === 'canary-of-heir');
    const { status, text } = await callRaw(proxy.url, key, session, { name: 'whoami' });
    expect(status).toBe(404);
    expect(text).toContain('SESSION_NOT_FOUND');
  });
});

test('under load: five changes, and not one call fails nor goes back to a server before', async () => {
  const callers = await Promise.all(Array.from({ length: 4 }, () => client('loaded')));
  let isOver = false;
  const seen = callers.map((): string[] => []);
  const load = callers.map(async (caller, index) => {
    while (!isOver) {
      const text = await callText(caller, 'env', { name: 'CANARY' });
      const [last] = seen[index]!.slice(-1);
      if (last !== text) seen[index]!.push(text);
    }
  });
  const everybodySays = (canary: string) => () => seen.every((each) => each.at(-1) === `"${canary}"`);
  const failure = Promise.all(load).then(() => 'ended' as const);
  for (let number = 1; number <= 5; number++) {
    proxy.write('loaded', tenantYaml('loaded', 'echo', '', { CANARY: `canary-${number}` }));
    // A call that failed ends the wait at once.
    await Promise.race([eventually(everybodySays(`canary-${number}`)), failure]);
  }
  isOver = true;
  await failure;
  const story = ['"canary-of-loaded"', ...[1, 2, 3, 4, 5].map((number) => `"canary-${number}"`)];
  // Each in its order and none twice: a session may well have missed one that was in force for a moment.
  for (const each of seen) expect(story.filter((canary) => each.includes(canary))).toEqual(each);
  for (const each of seen) expect(each.at(-1)).toBe('"canary-5"');
});

describe('what is wrong does not come into force', () => {
  test('a server that does not start: the old one goes on, and it is told', async () => {
    const caller = await client('failing');
    expect(await callText(caller, 'env', { name: 'CANARY' })).toBe('"canary-of-failing"');
    proxy.write('failing', tenantYaml('failing', 'crashing'));
    const line = await proxy.logged(
      ({ event, tenant }) => event === 'generation.failed' && tenant === 'failing',
    );
    expect(line).toMatchObject({ level: 'error', server: 'default' });
    expect((await proxy.status()).problems).toMatchObject([
      { code: 'START_FAILED', file: expect.stringContaining('failing.yaml') as string },
    ]);
    expect(await callText(caller, 'env', { name: 'CANARY' })).toBe('"canary-of-failing"');
    expect(await canaryOf(proxy.keys['failing']!)).toBe('canary-of-failing');

    proxy.write('failing', tenantYaml('failing', 'echo', '', { CANARY: 'canary-mended' }));
    await eventually(async () => (await canaryOf(proxy.keys['failing']!)) === 'canary-mended');
    expect((await proxy.status()).problems).toEqual([]);
  });

  test('put back to what is in force after a failure, the problem is gone', async () => {
    const good = tenantYaml('reverted', 'echo');
    proxy.write('reverted', good);
    const key = proxy.keys['reverted']!;
    await within2s(async () => (await canaryOf(key)) === 'canary-of-reverted');
    proxy.write('reverted', tenantYaml('reverted', 'crashing'));
    await proxy.logged(({ event, tenant }) => event === 'generation.failed' && tenant === 'reverted');
    proxy.write('reverted', good);
    try {
      await within2s(async () => (await proxy.status()).problems.length === 0);
      expect(await canaryOf(key)).toBe('canary-of-reverted');
    } finally {
      proxy.remove('reverted');
    }
  });

  test('a broken file: the last good version goes on, and the status has the place', async () => {
    proxy.write('broken', 'tenant: broken\nserver:\n  command: node\n  argz: []\n');
    const problems = await within2s(async () => {
      const found = (await proxy.status()).problems.filter(({ file }) => file.includes('broken'));
      return found.length > 0 && found;
    });
    expect(problems).toEqual([
      {
        file: 'tenants/broken.yaml',
        line: 4,
        column: 3,
        code: 'INVALID_SETTING',
        message: 'There is no such key under server; write "args"?',
      },
    ]);
    const line = await proxy.logged(({ event }) => event === 'tenant.problem');
    expect(line).toMatchObject({
      level: 'warn',
      file: 'tenants/broken.yaml',
      line: 4,
      code: 'INVALID_SETTING',
    });
    expect(await canaryOf(proxy.keys['broken']!)).toBe('canary-of-broken');
    proxy.write('broken', tenantYaml('broken', 'echo'));
    await within2s(async () => (await proxy.status()).problems.length === 0);
  });
});

describe('keys', () => {
  test('two are valid at once; the old one is refused once revoked, the new one goes on', async () => {
    const old = proxy.keys['rotated']!;
    const oldClient = await client('rotated', old);
    const made = await proxy.run('key', 'create', 'rotated', '--name', 'next');
    expect(made).toMatchObject({
      code: 0,
      err: expect.stringContaining('The running proxy knows it') as string,
    });
    const next = made.out.trim();
    // The command ends once the proxy knows the key, so nothing is waited for.
    const nextClient = await client('rotated', next);
    expect(await callText(nextClient, 'echo', { text: 'next' })).toBe('next');
    expect(await callText(oldClient, 'echo', { text: 'old' })).toBe('old');

    expect(await proxy.run('key', 'revoke', 'rotated', 'test')).toMatchObject({
      code: 0,
      out: 'Revoked; the running proxy refuses it now\n',
    });
    expect(await statusFor(old)).toBe(401);
    await expect(callText(oldClient, 'echo', { text: 'old' })).rejects.toThrow();
    expect(await callText(nextClient, 'echo', { text: 'still' })).toBe('still');
  });

  test('one that is taken out of the file by hand is refused within two seconds', async () => {
    const made = await proxy.run('key', 'create', 'rotated', '--name', 'short-lived');
    const key = made.out.trim();
    expect(await statusFor(key)).toBe(200);
    proxy.write('rotated', tenantYaml('rotated', 'echo'));
    await within2s(async () => (await statusFor(key)) === 401);
  });

  test('a new key alone starts no new server', async () => {
    const caller = await client('rotated');
    const before = await callJson<{ pid: number }>(caller, 'whoami');
    expect((await proxy.run('key', 'create', 'rotated', '--name', 'beside')).code).toBe(0);
    const after = await callJson<{ pid: number }>(caller, 'whoami');
    expect(after.pid).toBe(before.pid);
  });
});

test('proxy reload takes in what nobody was told of, and prints it', async () => {
  // What is behind a link into another folder changes without a word to who watches this one.
  const behind = (name: string) => path.join(proxy.dir, `${name}-behind`);
  const put = (name: string, more = '') => {
    writeFileSync(`${behind(name)}.tmp`, tenantYaml(name, 'echo', more));
    renameSync(`${behind(name)}.tmp`, behind(name));
  };
  put('linked');
  put('leaving');
  for (const name of ['linked', 'leaving', 'coming'])
    symlinkSync(behind(name), path.join(proxy.dir, `tenants/${name}.yaml`));
  await eventually(async () => (await rowOf('linked')) && (await rowOf('leaving')));
  // Every ten seconds the folder is looked at anyway. Once that has shown a change, the next look is far.
  put('linked', 'pool: { max: 2 }');
  await eventually(async () => (await rowOf('linked'))?.maxWorkers === 2, 20_000);
  put('linked', 'pool: { max: 1 }');
  put('coming');
  rmSync(behind('leaving'));
  // A link that leads nowhere may be one that is being turned: its tenant stays, and it is said aloud.
  expect(await proxy.run('reload')).toMatchObject({
    code: 1,
    out: 'added: coming\nchanged: linked\n',
    err: expect.stringContaining('tenants/leaving.yaml UNREADABLE') as string,
  });
  expect(await rowOf('leaving')).toBeDefined();
  put('leaving');
  expect(await proxy.run('reload')).toMatchObject({ code: 0, err: '' });
  expect(await proxy.run('reload')).toEqual({ code: 0, out: 'Nothing changed\n', err: '' });
  expect((await rowOf('linked'))?.maxWorkers).toBe(1);
});

test('files nested without end are problems of their own, and hurt nobody', async () => {
  const own = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo') } });
  try {
    const size = 64 * 1024;
    const texts = ['['.repeat(size), '{'.repeat(size), '- '.repeat(size / 2), '? '.repeat(size / 2)];
    for (let index = 0; index < 12; index++) {
      writeFileSync(path.join(own.dir, `tenants/deep-${index}.yaml`), texts[index % texts.length]!);
    }
    const ended = own.exited.then((code) => {
      throw new Error(`The proxy ended with ${code}`);
    });
    const counted = eventually(async () => {
      const { problems } = await own.status();
      return new Set(problems.map(({ file }) => file)).size === 12;
    });
    await Promise.race([counted, ended]);
    const caller = await connect(own.url, own.keys['acme']!);
    expect(await callText(caller, 'echo', { text: 'here' })).toBe('here');
  } finally {
    await own.stop();
  }
});
