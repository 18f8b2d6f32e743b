import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fixture, isAlive, runCommand } from '../support/start-proxy.ts';

/** What all bundled servers have from their kit, on a server that has nothing else. */
const token = 'kit-token-0123456789';
const root = path.resolve(import.meta.dirname, '../..');

let stderr = '';
let client: Client | undefined;
let child: ChildProcess | undefined;
afterEach(async () => {
  await client?.close();
  client = undefined;
  child?.kill('SIGKILL');
  child = undefined;
});

async function open(env: Record<string, string> = { KIT_TOKEN: token, LOG_LEVEL: 'debug' }): Promise<Client> {
  stderr = '';
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fixture('kit')],
    env,
    stderr: 'pipe',
  });
  transport.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return client;
}

/** The process with its pipes, for what no client would send. */
function start(env: Record<string, string> = { KIT_TOKEN: token }) {
  const started = spawn(process.execPath, [fixture('kit')], { env, stdio: 'pipe' });
  child = started;
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: started.stdout }).on('line', (line) => lines.push(JSON.parse(line) as never));
  stderr = '';
  started.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const exited = new Promise<number | null>((resolve) => started.once('exit', resolve));
  const say = (message: object | string): void =>
    void started.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  const answer = (id: unknown) => eventually(() => lines.find((line) => line['id'] === id));
  return { lines, exited, say, answer, end: () => started.stdin.end(), kill: () => started.kill('SIGTERM') };
}

describe('a server made with the kit', () => {
  test('says who it is, and lists its tools with what they do', async () => {
    const kit = await open();
    expect(kit.getServerVersion()).toEqual({ name: 'kit', title: 'Kit', version: '1.2.3' });
    expect(kit.getInstructions()).toBe('For tests');
    const { tools } = await kit.listTools();
    expect(tools.map(({ name, annotations }) => [name, annotations])).toEqual([
      ['echo', expect.objectContaining({ readOnlyHint: true, idempotentHint: true, destructiveHint: false })],
      [
        'wait',
        expect.objectContaining({ readOnlyHint: false, idempotentHint: false, destructiveHint: false }),
      ],
      ['fail', expect.objectContaining({ readOnlyHint: false, idempotentHint: true, destructiveHint: true })],
    ]);
    expect(tools[0]).toMatchObject({
      inputSchema: { type: 'object', required: ['id'], additionalProperties: false },
      outputSchema: { type: 'object' },
      _meta: { vendor: 'none' },
    });
  });

  test('answers in structure and in text, and an id beyond 2^53 stays the id it was', async () => {
    const kit = start();
    kit.say(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"id":12345678901234567890}}}',
    );
    expect(await kit.answer(1)).toMatchObject({
      result: {
        structuredContent: { id: '12345678901234567890' },
        content: [{ type: 'text', text: '{"id":"12345678901234567890"}' }],
        _meta: { asked: 1 },
      },
    });
  });

  test('arguments that cannot be right are answered with those there are', async () => {
    const kit = await open();
    const result = await kit.callTool({ name: 'echo', arguments: { ID: 1 } });
    expect(result).toMatchObject({
      isError: true,
      _meta: { 'mcp-tenant-proxy/error': { code: 'INVALID_INPUT', executed: 'no', hint: 'echo takes: id' } },
    });
    await expect(kit.callTool({ name: 'nothing' })).rejects.toThrow(/Unknown tool: nothing/);
  });

  test('a failure is told as JSON, with a hint and without the secret', async () => {
    const kit = await open();
    const result = await kit.callTool({ name: 'fail', arguments: { how: 'told' } });
    const [{ text }] = result.content as [{ text: string }];
    expect(text).toBe(
      JSON.stringify(
        {
          error: 'The vendor says no to [REDACTED]',
          code: 'REJECTED',
          hint: 'Ask differently',
          executed: 'no',
          retryable: false,
          status: 500,
        },
        undefined,
        2,
      ),
    );
  });

  test('a mistake of its own goes to the log and not to the client; the secret to neither', async () => {
    const kit = await open();
    const result = await kit.callTool({ name: 'fail', arguments: { how: 'mistake' } });
    expect(JSON.stringify(result)).toMatch(/INTERNAL_ERROR/);
    expect(JSON.stringify(result)).not.toMatch(/near/);
    await eventually(() => stderr.includes('a mistake near [REDACTED]'));
    expect(stderr).not.toContain(token);
  });

  test('progress comes, and a cancelled call ends inside the server and is not answered', async () => {
    const kit = start();
    kit.say({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'wait', _meta: { progressToken: 'p' } },
    });
    await eventually(() => kit.lines.find(({ method }) => method === 'notifications/progress'));
    expect(kit.lines[0]).toMatchObject({
      params: { progressToken: 'p', progress: 1, total: 2, message: 'waiting' },
    });
    kit.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    await eventually(() => stderr.includes('wait.aborted'));
    kit.say({ jsonrpc: '2.0', id: 8, method: 'ping' });
    await kit.answer(8);
    expect(kit.lines.filter(({ id }) => id === 7)).toEqual([]);
  });

  test('resources are listed and read, and one there is not has its own code', async () => {
    const kit = await open();
    expect((await kit.listResources()).resources).toEqual([{ uri: 'kit://one', name: 'one' }]);
    expect((await kit.readResource({ uri: 'kit://one' })).contents).toEqual([
      { uri: 'kit://one', text: 'the one' },
    ]);
    await expect(kit.readResource({ uri: 'kit://two' })).rejects.toMatchObject({ code: -32_002 });
  });

  test.each([
    ['2024-11-05', '2024-11-05'],
    ['2025-11-25', '2025-11-25'],
    ['2099-01-01', '2025-11-25'],
  ])('asked for revision %s it speaks %s', async (asked, spoken) => {
    const kit = start();
    kit.say({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: asked } });
    expect(await kit.answer(1)).toMatchObject({ result: { protocolVersion: spoken } });
  });

  test.each([
    ['no JSON', '{"jsonrpc"', { id: null, error: { code: -32_700 } }],
    ['no message', '[]', { id: null, error: { code: -32_600 } }],
    [
      'a method there is not',
      '{"jsonrpc":"2.0","id":"a","method":"x/y"}',
      { id: 'a', error: { code: -32_601 } },
    ],
    [
      'a question of a newer era',
      '{"jsonrpc":"2.0","id":"a","method":"server/discover"}',
      { id: 'a', error: { code: -32_601 } },
    ],
  ])('%s is answered with an error, and it lives on', async (_what, line, told) => {
    const kit = start();
    kit.say(line);
    await eventually(() => kit.lines[0]);
    expect(kit.lines[0]).toMatchObject(told);
    kit.say({ jsonrpc: '2.0', id: 2, method: 'ping' });
    expect(await kit.answer(2)).toMatchObject({ result: {} });
  });
});

describe('its end', () => {
  test('when stdin ends it first answers what it was asked, closes in order and leaves with 0', async () => {
    const kit = start();
    kit.say({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    kit.end();
    expect(await kit.exited).toBe(0);
    expect(await kit.answer(1)).toMatchObject({ result: { tools: expect.any(Array) as unknown } });
    expect(stderr).toContain('kit.closed');
  });

  test('when it is told to stop it calls off what it does', async () => {
    const kit = start();
    kit.say({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'wait', _meta: { progressToken: 1 } },
    });
    await eventually(() => kit.lines.length > 0);
    kit.kill();
    expect(await kit.exited).toBe(0);
    expect(stderr).toContain('wait.aborted');
    expect(isAlive(child!.pid!)).toBe(false);
  });

  test('without its variables it does not start, and says which', async () => {
    const kit = start({});
    expect(await kit.exited).toBe(1);
    expect(stderr).toBe('kit: KIT_TOKEN (or KIT_OLD_TOKEN) is not set: anything\n');
  });

  test('if it cannot open what it needs it ends, and says why without the secret', async () => {
    const kit = start({ KIT_TOKEN: token, KIT_MOOD: 'broken' });
    expect(await kit.exited).toBe(1);
    expect(stderr).toContain('cannot open with [REDACTED]');
  });
});

describe('proxy server', () => {
  test('without a name lists the servers that come with the proxy', async () => {
    const { code, out } = await runCommand(['server'], { cwd: root });
    expect(code).toBe(0);
    expect(out.split('\n')).toContain('demo');
    expect(out).not.toContain('kit');
  });

  test('runs one of them for any client', async () => {
    client = new Client({ name: 'test', version: '1' });
    const args = [path.join(root, 'dist/cli/main.js'), 'server', 'demo'];
    const env = { ACCOUNT: 'alone' };
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }),
    );
    expect((await client.callTool({ name: 'whoami' })).structuredContent).toMatchObject({ account: 'alone' });
  });

  test('knows no others, whatever they are called', async () => {
    for (const name of ['kit', '..', '../cli', 'nothing'])
      expect(await runCommand(['server', name], { cwd: root })).toMatchObject({ code: 2, out: '' });
  });
});
