import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProxy } from '../support/start-proxy.ts';
import { type Check, runSuite, serverScenarios } from './suite.ts';
import { addKey } from './with-key.ts';

/** The official suite, through the real proxy, to a stdio server that can do all it asks for. */
const fixture = path.resolve(import.meta.dirname, '../fixtures/servers/conformance.mjs');
/** Exclusive, because the suite asks a worker's client for samples and answers, one client at a time. */
const tenant = `
tenant: acme
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(fixture)}]
pool: { sharing: exclusive, max: 50 }
`;
const scenarios = await serverScenarios();

let checks: Map<string, Check[]>;
let stop: () => Promise<void>;

beforeAll(async () => {
  const proxy = await startProxy({ tenants: { acme: tenant } });
  const front = await addKey(proxy.url, proxy.keys['acme']!);
  stop = async () => {
    front.stop();
    await proxy.stop();
  };
  ({ checks } = await runSuite(front.url));
}, 120_000);

afterAll(() => stop());

describe('the official conformance suite', () => {
  test('has the scenarios we know of', () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(32);
    expect([...checks.keys()].toSorted()).toEqual(scenarios.toSorted());
  });

  test.each(scenarios)('%s', (scenario) => {
    const told = checks.get(scenario) ?? [];
    expect(told.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO')).toEqual([]);
    expect(told.some(({ status }) => status === 'SUCCESS')).toBe(true);
  });
});
