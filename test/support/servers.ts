import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { errorMetaKey } from '../../src/servers/kit/failure-result.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A bundled server in a process of its own, as `proxy server NAME` runs it, with the official client connected to it. */
export interface RunningServer {
  readonly client: Client;
  /** Everything it has said on stderr so far. */
  readonly stderr: () => string;
}

export async function startServer(name: string, env: Record<string, string>): Promise<RunningServer> {
  let said = '';
  const args = [path.join(root, 'dist/cli/main.js'), 'server', name];
  const transport = new StdioClientTransport({ command: process.execPath, args, env, stderr: 'pipe' });
  transport.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  // The client checks structured content against the schemas it has been told.
  await client.listTools();
  return { client, stderr: () => said };
}

/** The structured content of a tool's answer; fails where the answer is an error. */
export async function callFor<Value>(client: Client, name: string, args: object = {}): Promise<Value> {
  const result = (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
  return result.structuredContent as Value;
}

export interface ToldFailure {
  readonly error: string;
  readonly code: string;
  readonly hint?: string;
  readonly executed: string;
  readonly retryAfterSeconds?: number;
}

/** What a tool said that failed; fails where it did not. */
export async function failureFrom(client: Client, name: string, args: object = {}): Promise<ToldFailure> {
  const result = (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
  if (!result.isError) throw new Error(`${name} should have failed: ${JSON.stringify(result.content)}`);
  return result._meta?.[errorMetaKey] as ToldFailure;
}
