import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { openRawHttp } from './eras/raw-peer.ts';

/** One URL serves many tenants: what a server says everybody may keep must not be kept for everybody who uses it. */
const tenants = ['acme', 'globex'];
let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({
    tenants: Object.fromEntries(tenants.map((id) => [id, tenantYaml(id, 'public')])),
  });
});

afterAll(() => proxy.stop());

test.each([
  ['server/discover', '', false],
  ['tools/list', '', true],
  ['resources/read', '"uri":"test://public"', true],
])(
  '%s that a server calls public goes out as private, to each tenant its own',
  async (method, params, isOwn) => {
    // Twice: the second time something may be remembered.
    for (const id of [...tenants, ...tenants]) {
      const peer = await openRawHttp(proxy.url, proxy.keys[id]!, 'modern');
      const { status, text } = await peer.ask(method, params);
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ result: { cacheScope: 'private' } });
      expect(text).not.toMatch(/"cacheScope"\s*:\s*"public"/);
      const told = tenants.filter((each) => text.includes(`canary-of-${each}`));
      expect(told).toEqual(isOwn ? [id] : []);
      await peer.close();
    }
  },
);
