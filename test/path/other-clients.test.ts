import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { execa } from 'execa';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { callText } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { openRawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Programs that other people connect with, as they come from npm. */
const root = path.resolve(import.meta.dirname, '../..');
const programOf = (name: string, bin: string): string => {
  const folder = path.join(root, 'node_modules', name);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  return path.join(folder, manifest.bin[bin]!);
};
const programs = {
  mcpRemote: programOf('mcp-remote', 'mcp-remote'),
  supergateway: programOf('supergateway', 'supergateway'),
  mcpProxy: path.join(root, 'test/fixtures/clients/mcp-proxy.mjs'),
};

let proxy: RunningProxy;
let home: string;

beforeAll(async () => {
  proxy = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo', 'pool: { max: 1 }') } });
  home = mkdtempSync(path.join(tmpdir(), 'clients-'));
});

afterAll(async () => {
  await proxy.stop();
  rmSync(home, { recursive: true, force: true });
});

const bearer = () => `Bearer ${proxy.keys['acme']!}`;
const sse = () => new URL('/sse', proxy.url).href;
/** Their settings and locks go into a folder of the test's own. */
const env = () => ({ PATH: process.env['PATH'] ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home });

/** Bridges that are a stdio server to their user, and a client of the proxy. */
const bridges: Readonly<Record<string, () => readonly string[]>> = {
  'mcp-remote over Streamable HTTP': () => [
    programs.mcpRemote,
    proxy.url,
    ...['--transport', 'http-only', '--allow-http', '--header', `Authorization: ${bearer()}`],
  ],
  'mcp-remote over HTTP+SSE': () => [
    programs.mcpRemote,
    sse(),
    ...['--transport', 'sse-only', '--allow-http', '--header', `Authorization: ${bearer()}`],
  ],
  'mcp-remote, which tries one and then the other,': () => [
    programs.mcpRemote,
    sse(),
    ...['--allow-http', '--header', `Authorization: ${bearer()}`],
  ],
  'supergateway over Streamable HTTP': () => [
    programs.supergateway,
    ...['--streamableHttp', proxy.url, '--oauth2Bearer', proxy.keys['acme']!, '--logLevel', 'none'],
  ],
  'supergateway over HTTP+SSE': () => [
    programs.supergateway,
    ...['--sse', sse(), '--oauth2Bearer', proxy.keys['acme']!, '--logLevel', 'none'],
  ],
  'mcp-proxy over Streamable HTTP': () => [programs.mcpProxy, proxy.url, 'http', proxy.keys['acme']!],
  'mcp-proxy over HTTP+SSE': () => [programs.mcpProxy, sse(), 'sse', proxy.keys['acme']!],
};

/** It has no way for notifications, whoever the server is. */
const passesNothingOn = (name: string) => name.startsWith('supergateway');

describe.each(Object.keys(bridges))('%s', (name) => {
  test('lists, calls, and hears of changes where it listens', async () => {
    const client = new Client({ name: 'test', version: '1' });
    let changes = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      changes++;
    });
    const args = [...bridges[name]!()];
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env: env(), stderr: 'ignore' }),
    );
    onTestFinished(() => client.close());
    expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('echo');
    expect(await callText(client, 'echo', { text: 'zażółć 🙂' })).toBe('zażółć 🙂');
    await expect(client.callTool({ name: 'fail', arguments: { message: 'on purpose' } })).rejects.toThrow(
      'on purpose',
    );
    if (passesNothingOn(name)) return;
    const other = await openRawSession(proxy.url, proxy.keys['acme']!);
    // The bridge may not listen yet; what is said meanwhile is kept for it.
    await other.call('change', { list: 'tools' });
    await eventually(() => changes > 0);
  });
});

/** Each command is a client of its own: it comes, asks one thing, prints the answer and goes. */
describe.each(['http', 'sse'])("the Inspector's command line over %s", (transport) => {
  /** It reads the manifest of the Inspector, two folders above: the whole of it wants a newer Node than ours. */
  const program = path.join('inspector', 'cli', 'build', 'index.js');
  beforeAll(() => {
    const installed = path.join(root, 'node_modules/@modelcontextprotocol/inspector-cli');
    cpSync(path.join(installed, 'build'), path.join(home, path.dirname(program)), { recursive: true });
    cpSync(path.join(installed, 'package.json'), path.join(home, 'inspector/package.json'));
    rmSync(path.join(home, 'node_modules'), { force: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(home, 'node_modules'));
  });
  const inspect = async (...args: readonly string[]): Promise<unknown> => {
    const url = transport === 'sse' ? sse() : proxy.url;
    const header = ['--transport', transport, '--header', `Authorization: ${bearer()}`];
    const { stdout } = await execa(process.execPath, [path.join(home, program), url, ...header, ...args], {
      env: env(),
      extendEnv: false,
    });
    return JSON.parse(stdout) as unknown;
  };

  test('lists and calls', async () => {
    const names = { tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) as unknown };
    expect(await inspect('--method', 'tools/list')).toMatchObject(names);
    const call = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'text=zażółć 🙂'];
    expect(await inspect(...call)).toMatchObject({ content: [{ type: 'text', text: 'zażółć 🙂' }] });
  });
});
