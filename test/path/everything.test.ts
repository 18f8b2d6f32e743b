import { createRequire } from 'node:module';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../support/clients.ts';
import { startProxy, type RunningProxy } from '../support/start-proxy.ts';

/** The reference server of the MCP project, once as the proxy's child and once alone: a client must not see a difference. */
const manifest = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/package.json',
);
const program = path.join(path.dirname(manifest), 'dist/index.js');

let proxy: RunningProxy;
let through: Client;
let alone: Client;

beforeAll(async () => {
  const tenant = `
tenant: acme
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(program)}]
`;
  proxy = await startProxy({ tenants: { acme: tenant } });
  through = await connect(proxy.url, proxy.keys['acme']!);
  alone = new Client({ name: 'test', version: '1' });
  await alone.connect(
    new StdioClientTransport({ command: process.execPath, args: [program], stderr: 'ignore' }),
  );
});
afterAll(async () => {
  await through.close();
  await alone.close();
  await proxy.stop();
});

describe('a client of the proxy sees what a client of the server sees', () => {
  test('who it is and what it can do', () => {
    expect(through.getServerVersion()).toEqual(alone.getServerVersion());
    expect(through.getServerCapabilities()).toEqual(alone.getServerCapabilities());
    expect(through.getInstructions()).toEqual(alone.getInstructions());
  });

  test.each(['listTools', 'listPrompts', 'listResources', 'listResourceTemplates'] as const)(
    '%s',
    async (list) => {
      const [here, there] = [await through[list](), await alone[list]()];
      expect(here).toEqual(there);
      expect(JSON.stringify(here).length).toBeGreaterThan(100);
    },
  );

  test('an answer of a tool, and an error', async () => {
    const call = { name: 'echo', arguments: { message: 'zażółć 🙂 \u2028' } };
    expect(await through.callTool(call)).toEqual(await alone.callTool(call));
    const wrong = { name: 'no such tool', arguments: {} };
    const [here, there] = await Promise.allSettled([through.callTool(wrong), alone.callTool(wrong)]);
    expect(here).toEqual(there);
  });

  test('progress', async () => {
    const seen: number[] = [];
    const { tools } = await through.listTools();
    const long = tools.find(({ name }) => /long.?running/i.test(name))!;
    const call = { name: long.name, arguments: { duration: 1, steps: 4 } };
    await through.callTool(call, undefined, { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3, 4]);
  });
});
