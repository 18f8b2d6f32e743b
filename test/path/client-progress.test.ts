import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openRawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({
    tenants: { acme: tenantYaml('acme', 'legacy-everything', 'pool: { max: 1 }') },
  });
});
afterAll(() => proxy.stop());

test('what a client reports of a question reaches the shared worker that asked it, and nobody else can say it', async () => {
  const capabilities = { elicitation: {} };
  const [ada, other] = [
    await openRawSession(proxy.url, proxy.keys['acme']!, { capabilities }),
    await openRawSession(proxy.url, proxy.keys['acme']!, { capabilities }),
  ];
  const round = async () => {
    const call = await ada.begin('ask_patiently');
    const asked = await eventually(() => call.messages.find((text) => text.includes('elicitation/create')));
    const { id, params } = JSON.parse(asked) as { id: number; params: { _meta: { progressToken: number } } };
    const report = (progress: number, token: unknown = params._meta.progressToken) =>
      JSON.stringify({ progressToken: token, progress });
    await other.notify('notifications/progress', report(1));
    await ada.notify('notifications/progress', report(2, 'another'));
    await ada.notify('notifications/progress', report(3));
    await ada.post(`{"jsonrpc":"2.0","id":${id},"result":{"action":"decline"}}`);
    await call.ended;
    const { result } = JSON.parse(call.messages.at(-1)!) as { result: { content: { text: string }[] } };
    return result.content[0]!.text;
  };
  // A server of this SDK that reads the report and the answer in one go forgets the report.
  const heard = await eventually(async () => {
    const text = await round();
    return text === '[]' ? undefined : text;
  });
  expect(heard).toBe('[3]');
});
