import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type CallToolRequest,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import {
  answerTo,
  type AskOptions,
  type EraClient,
  type Filter,
  type Heard,
  type Options,
  resultOf,
  tap,
} from './era-client.ts';

/** The official client of the first generation: 2025-11-25 and before. */
export async function connectFirst(transport: Transport, options: Options): Promise<EraClient> {
  const { name, capabilities } = options;
  const heard: Heard[] = [];
  const asked: Heard[] = [];
  const client = new Client({ name, version: '1' }, { capabilities });
  answerQuestions(client, options, asked);
  await client.connect(transport);
  const withToken = tap(transport, heard);

  const ask: EraClient['ask'] = async (method, plain = {}, more = {}) => {
    const params = withToken(plain, more.onProgress);
    if (more.logLevel !== undefined) await client.setLoggingLevel(more.logLevel as 'debug');
    if (method === 'tools/list') return resultOf(client.listTools(params));
    if (method === 'tools/call' && !('task' in params))
      return resultOf(
        client.callTool(params as unknown as CallToolRequest['params'], undefined, requestOptions(more)),
      );
    return resultOf(client.request({ method, params }, ResultSchema, requestOptions(more)));
  };
  return {
    name,
    era: 'legacy',
    server: {
      info: client.getServerVersion(),
      capabilities: client.getServerCapabilities() ?? {},
      instructions: client.getInstructions(),
    },
    heard,
    asked,
    ask,
    call: (tool, args = {}, more = {}) => ask('tools/call', { name: tool, arguments: args }, more),
    listen: (filter) => subscribe(client, filter),
    tellRoots: () => client.sendRootsListChanged(),
    close: () => client.close(),
  };
}

const requestOptions = ({ signal }: AskOptions) => (signal ? { signal } : {});

function answerQuestions(client: Client, { name, capabilities }: Options, asked: Heard[]): void {
  const answer = ({ method, params = {} }: { method: string; params?: object | undefined }) => {
    asked.push({ method, params: params as Heard['params'] });
    return answerTo(name, method, params as Heard['params']) as never;
  };
  if ('sampling' in capabilities) client.setRequestHandler(CreateMessageRequestSchema, answer);
  if ('elicitation' in capabilities) client.setRequestHandler(ElicitRequestSchema, answer);
  if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, answer);
}

/** Of lists every client is told; resources are subscribed to one by one. */
async function subscribe(client: Client, { resources = [] }: Filter): Promise<() => Promise<void>> {
  for (const uri of resources) await client.subscribeResource({ uri });
  return async () => {
    for (const uri of resources) await client.unsubscribeResource({ uri });
  };
}
