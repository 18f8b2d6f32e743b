import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { callJson, callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { fixture, isAlive, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Takes longer to start than any of these tests lasts. */
const never = { START_MS: '60000' };

test('a generation that is overtaken while it starts leaves no process behind, nor does one that starts when the proxy stops', async () => {
  const proxy = await startProxy({
    config: 'workers: { stopGrace: 100ms }',
    tenants: { acme: tenantYaml('acme', 'echo') },
  });
  const client = await connect(proxy.url, proxy.keys['acme']!);
  await callText(client, 'echo', { text: 'a worker is there' });
  const spawned = () =>
    proxy.logs.filter(({ event }) => event === 'worker.spawned').map(({ pid }) => Number(pid));
  proxy.write('acme', tenantYaml('acme', 'slow-start', '', never));
  await eventually(() => spawned().length === 2);
  proxy.write('acme', tenantYaml('acme', 'slow-start', '', { ...never, CANARY: 'another' }));
  await eventually(() => spawned().length === 3);
  await eventually(() => !isAlive(spawned()[1]!));
  expect(await callText(client, 'echo', { text: 'the old one goes on' })).toBe('the old one goes on');
  await client.close();
  expect(await proxy.stop()).toBe(0);
  for (const pid of spawned()) await eventually(() => !isAlive(pid));
});

test('proxy restart tries what the file says once more', async () => {
  const proxy = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo') } });
  try {
    const client = await connect(proxy.url, proxy.keys['acme']!);
    const before = await callJson<{ pid: number }>(client, 'whoami');
    // A wrapper that is not installed yet.
    const wrapper = path.join(proxy.dir, 'wrapper.sh');
    proxy.write(
      'acme',
      `tenant: acme\nserver: { command: ./wrapper.sh, env: { CANARY: new }, sandbox: { read: [${JSON.stringify(path.dirname(fixture('echo')))}] } }\n`,
    );
    await proxy.logged(({ event }) => event === 'generation.failed');
    expect(await proxy.run('restart', 'acme')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^UNAVAILABLE .*does not start, so the old ones go on/) as string,
    });
    expect((await callJson<{ pid: number }>(client, 'whoami')).pid).toBe(before.pid);

    writeFileSync(wrapper, `#!/bin/sh\nexec ${process.execPath} ${fixture('echo')}\n`);
    chmodSync(wrapper, 0o755);
    expect(await proxy.run('restart', 'acme')).toMatchObject({ code: 0 });
    expect(await callJson<{ canary: string }>(client, 'whoami')).toMatchObject({ canary: 'new' });
    expect((await proxy.status()).problems).toEqual([]);
    await client.close();
  } finally {
    await proxy.stop();
  }
});

test('clients that listen are told that lists may have changed', async () => {
  const proxy = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo') } });
  try {
    let told = 0;
    const client = await connect(proxy.url, proxy.keys['acme']!, {}, (made) => {
      made.fallbackNotificationHandler = ({ method }) => {
        if (method === 'notifications/tools/list_changed') told++;
        return Promise.resolve();
      };
    });
    await client.listTools();
    proxy.write('acme', tenantYaml('acme', 'echo', '', { CANARY: 'another' }));
    await eventually(() => told === 1);
    await client.close();
  } finally {
    await proxy.stop();
  }
});

test.each(['exclusive', 'leased'])(
  'settings that change faster than a server starts: a call waits for one of its starts, not for the last change (%s)',
  async (sharing) => {
    const yaml = (generation: number) =>
      tenantYaml('acme', 'slow-start', `pool: { sharing: ${sharing} }`, {
        START_MS: '900',
        CANARY: `${generation}`,
      });
    const proxy = await startProxy({ tenants: { acme: yaml(0) } });
    const changes = { count: 0, areOver: false };
    const changing = (async () => {
      while (!changes.areOver) {
        proxy.write('acme', yaml(++changes.count));
        await pause(400);
      }
    })();
    try {
      const client = await connect(proxy.url, proxy.keys['acme']!);
      // Of a generation that was overtaken meanwhile, for all there are.
      expect(await callText(client, 'echo', { text: 'answered' })).toBe('answered');
      expect(changes.count).toBeGreaterThan(2);
      await client.close();
    } finally {
      changes.areOver = true;
      await changing;
    }
    // Whatever was overtaken leaves; what the file said last is in force.
    const last = await connect(proxy.url, proxy.keys['acme']!);
    await eventually(async () => {
      const { canary } = await callJson<{ canary: string }>(last, 'whoami');
      return canary === String(changes.count);
    });
    await eventually(async () => (await proxy.status()).tenants[0]!.workers.length === 1);
    await last.close();
    await proxy.stop();
  },
);
