import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';

const program = path.resolve(import.meta.dirname, '../../../dist/servers/servicedesk-plus/main.js');

export interface OpenServer {
  readonly client: Client;
  readonly pid: number;
  /** All that it wrote so far. */
  readonly stderr: () => string;
  call(name: string, args?: Record<string, unknown>): Promise<CallToolResult>;
  /** The structured answer of a tool that must succeed. */
  ask<Answer = Record<string, unknown>>(name: string, args?: Record<string, unknown>): Promise<Answer>;
  /** What a tool that must fail says. */
  fail(name: string, args?: Record<string, unknown>): Promise<ToldFailure>;
  close(): Promise<void>;
}

export interface ToldFailure {
  readonly error: string;
  readonly code: string;
  readonly hint?: string;
  readonly executed: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
  readonly vendorCode?: string;
}

/**
 * The server as a process of its own, with the official client. `home` is where its tokens are kept. The client checks
 * answers against the tools' output schemas once it has asked for their list; making that check of fifty tools takes
 * longer than all else, so only those tests ask for it that are about answers.
 */
export async function openServer(env: Readonly<Record<string, string>>, home: string): Promise<OpenServer> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program],
    env: { HOME: home, LOG_LEVEL: 'debug', ...env },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport).catch((thrown: unknown) => {
    throw new Error(`It did not start: ${stderr}`, { cause: thrown });
  });
  const call = async (name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })) as CallToolResult;
  return {
    client,
    pid: transport.pid ?? 0,
    stderr: () => stderr,
    call,
    async ask<Answer>(name: string, args?: Record<string, unknown>) {
      const result = await call(name, args);
      if (result.isError) throw new Error(JSON.stringify(result.content));
      return result.structuredContent as Answer;
    },
    async fail(name, args) {
      const result = await call(name, args);
      if (!result.isError) throw new Error(`${name} succeeded: ${JSON.stringify(result.structuredContent)}`);
      return result._meta?.['mcp-tenant-proxy/error'] as ToldFailure;
    },
    close: () => client.close(),
  };
}
