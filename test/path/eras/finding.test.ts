import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf } from '../../support/guest.ts';
import { fixture, type RunningProxy, startProxy } from '../../support/start-proxy.ts';
import { type Era } from './cell.ts';
import { openRawHttp } from './raw-peer.ts';

/** Which era a server speaks is found out by the proxy, kept, and may be said in the tenant's file. */
const tenantOf = (id: string, server: string, settings = '') => `tenant: ${id}
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(fixture(server))}]
  ${settings}
pool: { max: 4 }
`;

const tenants = {
  exits: tenantOf('exits', 'exits-on-early-request'),
  silent: tenantOf('silent', 'silent-early', 'startTimeout: 1s'),
  old: tenantOf('old', 'legacy-everything'),
  new: tenantOf('new', 'modern-everything'),
  both: tenantOf('both', 'dual-everything'),
  'both-as-old': tenantOf('both-as-old', 'dual-everything', 'era: legacy'),
  'both-as-new': tenantOf('both-as-new', 'dual-everything', 'era: modern'),
  'old-as-new': tenantOf('old-as-new', 'legacy-everything', 'era: modern'),
  'new-as-old': tenantOf('new-as-old', 'modern-everything', 'era: legacy'),
};

interface Answer {
  readonly result?: { readonly content?: readonly { readonly text: string }[] };
  readonly error?: { readonly data?: { readonly code?: string } };
}

async function whoami(proxy: RunningProxy, tenant: string, era: Era): Promise<{ era?: string; pid: number }> {
  const peer = await openRawHttp(proxy.url, proxy.keys[tenant]!, era);
  const { text } = await peer.ask('tools/call', '"name":"whoami","arguments":{}');
  const { result } = JSON.parse(text) as Answer;
  return JSON.parse(result?.content?.[0]?.text ?? text) as { era?: string; pid: number };
}

const state = mkdtempSync(path.join(tmpdir(), 'mtp-state-'));
let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({ tenants, config: `state: ${state}` });
});
afterAll(async () => {
  await proxy.stop();
  rmSync(state, { recursive: true, force: true });
});

const lastErrorOf = async (tenant: string) =>
  (await proxy.status()).tenants.find(({ id }) => id === tenant)?.lastError;

describe.concurrent('a server that the question about its era would harm', () => {
  test.each([
    ['exits', 'legacy'],
    ['exits', 'modern'],
    ['silent', 'legacy'],
    ['silent', 'modern'],
  ] as const)(
    '`%s` serves a %s client all the same, and is not taken for a broken one',
    async (tenant, era) => {
      const { pid } = await whoami(proxy, tenant, era);
      expect(pid).toBeGreaterThan(0);
      expect((await whoami(proxy, tenant, era)).pid).toBe(pid);
      expect(await lastErrorOf(tenant)).toBe(null);
    },
  );
});

describe.concurrent('the worker of a client', () => {
  test.each([
    ['old', 'legacy', 'legacy'],
    ['old', 'modern', 'legacy'],
    ['new', 'legacy', 'modern'],
    ['new', 'modern', 'modern'],
    ['both', 'legacy', 'legacy'],
    ['both', 'modern', 'modern'],
    ['both-as-old', 'legacy', 'legacy'],
    ['both-as-old', 'modern', 'legacy'],
    ['both-as-new', 'legacy', 'modern'],
    ['both-as-new', 'modern', 'modern'],
  ] as const)('of server `%s`, asked by a %s client, speaks the %s era', async (tenant, client, spoken) => {
    expect((await whoami(proxy, tenant, client)).era).toBe(spoken);
  });
});

describe.concurrent('a server that does not speak the era its file says', () => {
  test.each(['old-as-new', 'new-as-old'])('%s is unavailable, and the operator is told', async (tenant) => {
    const peer = await openRawHttp(proxy.url, proxy.keys[tenant]!, 'modern');
    const { text, status } = await peer.ask('tools/list');
    const { error } = JSON.parse(text) as Answer;
    expect([status, error?.data?.code]).toEqual([503, 'UNAVAILABLE']);
    expect(await lastErrorOf(tenant)).not.toBe(null);
  });
});

test('what was found is known to the next proxy, which does not ask again', async () => {
  await whoami(proxy, 'exits', 'modern');
  const before = eventsOf(proxy, 'server.probed', 'exits').length;
  expect(before).toBe(1);
  const next = await startProxy({ tenants: { exits: tenants.exits }, config: `state: ${state}` });
  try {
    expect((await whoami(next, 'exits', 'modern')).pid).toBeGreaterThan(0);
    expect(eventsOf(next, 'server.probed')).toEqual([]);
  } finally {
    await next.stop();
  }
});
