import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type CallToolResult, type ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { parseAnswer } from './machine-pid.ts';

/** The official SDK client, connected. */
export async function connect(
  url: string,
  key: string,
  capabilities: ClientCapabilities = {},
  prepare: (client: Client) => void = () => undefined,
): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { capabilities });
  prepare(client);
  const headers = { Authorization: `Bearer ${key}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return client;
}

/** The text of a tool's answer. */
export async function callText(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<string> {
  const result = (await client.callTool({ name, arguments: args })) as CallToolResult;
  const [first] = result.content;
  return first?.type === 'text' ? first.text : '';
}

/** The same, where the text is JSON. */
export async function callJson<Value>(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<Value> {
  return parseAnswer(await callText(client, name, args)) as Value;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One POST as a client writes it, where the SDK is too polite. */
export async function post(
  url: string,
  key: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export const initializeBody = (protocolVersion = '2025-11-25', capabilities: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1' } },
});

/** Opens a session with raw requests; returns its id. */
export async function openSession(url: string, key: string, capabilities: object = {}): Promise<string> {
  const { headers } = await post(url, key, initializeBody('2025-11-25', capabilities));
  const id = headers.get('mcp-session-id') ?? '';
  await post(url, key, { jsonrpc: '2.0', method: 'notifications/initialized' }, { 'mcp-session-id': id });
  return id;
}

/** One `tools/call` on a raw session. */
export function callRaw(
  url: string,
  key: string,
  session: string,
  { id = 1, name, args = {} }: { id?: unknown; name: string; args?: object },
): Promise<RawAnswer> {
  const body = { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
  return post(url, key, body, { 'mcp-session-id': session });
}
