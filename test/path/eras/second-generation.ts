import {
  type CallToolRequestParams,
  Client,
  type GetPromptRequestParams,
  LOG_LEVEL_META_KEY,
  type ReadResourceRequestParams,
  type Request,
  type SubscriptionFilter,
  type Transport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
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

const anything = z.looseObject({});

/** The official client of the second generation, of the era that `mode` makes it. */
export async function connectSecond(
  transport: Transport,
  options: Options,
  mode: VersionNegotiationMode,
): Promise<EraClient> {
  const { name, capabilities } = options;
  const heard: Heard[] = [];
  const asked: Heard[] = [];
  const client = new Client({ name, version: '1' }, { capabilities, versionNegotiation: { mode } });
  answerQuestions(client, options, asked);
  await client.connect(transport);
  const withToken = tap(transport, heard);
  const era = client.getProtocolEra() ?? 'legacy';

  const ask: EraClient['ask'] = async (method, plain = {}, more = {}) => {
    const params = withToken(plain, more.onProgress);
    const { logLevel } = more;
    const isModern = era === 'modern';
    if (logLevel !== undefined && !isModern) await setLevel(client, logLevel);
    const meta = logLevel !== undefined && isModern && { [LOG_LEVEL_META_KEY]: logLevel };
    const whole = meta
      ? { ...params, _meta: { ...(params['_meta'] as object | undefined), ...meta } }
      : params;
    return resultOf(request(client, { method, params: whole }, more));
  };
  return {
    name,
    era,
    server: {
      info: client.getServerVersion(),
      capabilities: client.getServerCapabilities() ?? {},
      instructions: client.getInstructions(),
    },
    heard,
    asked,
    ask,
    call: (tool, args = {}, more = {}) => ask('tools/call', { name: tool, arguments: args }, more),
    listen: (filter) => (era === 'modern' ? listen(client, filter) : subscribe(client, filter)),
    tellRoots: () => client.notification({ method: 'notifications/roots/list_changed' }),
    close: () => client.close(),
  };
}

/** By the client's own method where it has one that does more than send. */
async function request(
  client: Client,
  { method, params }: { method: string; params: Readonly<Record<string, unknown>> },
  { signal }: AskOptions,
): Promise<unknown> {
  const options = signal ? { signal } : {};
  const own = params as unknown;
  if (method === 'tools/list') return client.listTools(params, { ...options, cacheMode: 'refresh' });
  if (method === 'tools/call' && !('task' in params))
    return client.callTool(own as CallToolRequestParams, options);
  if (method === 'prompts/get') return client.getPrompt(own as GetPromptRequestParams, options);
  if (method === 'resources/read')
    return client.readResource(own as ReadResourceRequestParams, { ...options, cacheMode: 'refresh' });
  return client.request({ method, params } as Request, anything, options);
}

function answerQuestions(client: Client, { name, capabilities }: Options, asked: Heard[]): void {
  const answer = ({ method, params = {} }: { method: string; params?: object | undefined }) => {
    asked.push({ method, params: params as Heard['params'] });
    return answerTo(name, method, params as Heard['params']) as never;
  };
  if ('sampling' in capabilities) client.setRequestHandler('sampling/createMessage', answer);
  if ('elicitation' in capabilities) client.setRequestHandler('elicitation/create', answer);
  if ('roots' in capabilities) client.setRequestHandler('roots/list', answer);
}

const setLevel = (client: Client, level: string) =>
  client.request({ method: 'logging/setLevel', params: { level } } as Request, anything);

async function listen(client: Client, { lists = [], resources = [] }: Filter): Promise<() => Promise<void>> {
  const filter: SubscriptionFilter = {
    ...(lists.includes('tools') && { toolsListChanged: true }),
    ...(lists.includes('prompts') && { promptsListChanged: true }),
    ...(lists.includes('resources') && { resourcesListChanged: true }),
    ...(resources.length > 0 && { resourceSubscriptions: [...resources] }),
  };
  const subscription = await client.listen(filter);
  return () => subscription.close();
}

async function subscribe(client: Client, { resources = [] }: Filter): Promise<() => Promise<void>> {
  for (const uri of resources) await client.subscribeResource({ uri });
  return async () => {
    for (const uri of resources) await client.unsubscribeResource({ uri });
  };
}
