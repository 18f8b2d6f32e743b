import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { parseAnswer } from '../support/machine-pid.ts';
import { type Exchange, openRawSession, type RawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Who has subscribed hears, whatever becomes of the worker that was asked. */
const tenants = {
  slow: tenantYaml('slow', 'echo', 'pool: { max: 1 }', { UNSUBSCRIBE_MS: '500' }),
};
const uri = 'fixture://one';

let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms, stopGrace: 500ms }' });
});

afterAll(() => proxy.stop());

const open = (tenant: string): Promise<RawSession> => openRawSession(proxy.url, proxy.keys[tenant]!);
const subscribe = (session: RawSession) => session.ask('resources/subscribe', { uri });
const updatesOn = ({ messages }: Exchange): number =>
  messages.filter((message) => message.includes('notifications/resources/updated')).length;

/** What a worker says that it has seen. */
interface Seen {
  readonly pid: number;
  readonly methods: Readonly<Record<string, number>>;
  readonly subscribed: readonly string[];
}
const seenBy = async (session: RawSession) => parseAnswer(await session.text('seen')) as Seen;

describe('while a server takes its time to unsubscribe one client', () => {
  test('another that subscribes to the same is not left with nothing', async () => {
    const [leaving, coming] = [await open('slow'), await open('slow')];
    const stream = await coming.listen();
    await subscribe(leaving);
    const unsubscribed = leaving.ask('resources/unsubscribe', { uri });
    await eventually(async () => (await seenBy(coming)).methods['resources/unsubscribe'] === 1);
    expect(await subscribe(coming)).toContain('"result":{}');
    expect(await unsubscribed).toContain('"result":{}');
    expect(await coming.text('touch', { uri })).toContain('"told":true');
    await eventually(() => updatesOn(stream) === 1);
  });
});
