import { foldersPerProcess, isToldByProxy, spokenBy } from '../cell.ts';
import { everything } from '../era-client.ts';
import { type Row, said, saidJson, seenBy } from '../row.ts';

const listChanged = { listChanged: true };
const capabilities = {
  logging: {},
  completions: {},
  tools: listChanged,
  prompts: listChanged,
  resources: { subscribe: true, listChanged: true },
};

interface Told {
  readonly clientInfo: { readonly name: string } | null;
  readonly clientCapabilities: Readonly<Record<string, unknown>> | null;
}

/** Who meets whom, and what they say of themselves. */
export const meeting: readonly Row[] = [
  {
    kind: '`initialize` / `server/discover`: name, capabilities, instructions',
    // Tasks have rows of their own.
    observe: ({ client: { server } }) =>
      Promise.resolve({ ...server, capabilities: { ...server.capabilities, tasks: undefined } }),
    whole: () => ({
      info: { name: 'everything', version: '1.2.3', title: 'Everything' },
      capabilities,
      instructions: 'Ask whoami first.',
    }),
  },
  {
    kind: 'what the server is told of its client: name, sampling, elicitation',
    async observe({ client }) {
      const { clientInfo, clientCapabilities } = saidJson(await client.call('whoami')) as Told;
      const { sampling, elicitation } = clientCapabilities ?? {};
      return { name: clientInfo?.name, sampling, elicitation };
    },
    whole: () => ({ name: 'ada', sampling: everything.sampling, elicitation: everything.elicitation }),
    verdict: (cell) =>
      isToldByProxy(cell)
        ? {
            lossy: 'the worker is greeted by the proxy, with the capabilities of the clients it serves',
            seen: {
              name: 'mcp-tenant-proxy',
              sampling: everything.sampling,
              elicitation: everything.elicitation,
            },
          }
        : undefined,
  },
  {
    kind: 'what the server is told of its client: roots',
    async observe({ client }) {
      const { clientCapabilities } = saidJson(await client.call('whoami')) as Told;
      return clientCapabilities?.['roots'] ?? null;
    },
    whole: () => everything.roots,
    verdict: (cell) => (isToldByProxy(cell) ? { lossy: foldersPerProcess, seen: null } : undefined),
  },
  {
    kind: '`ping` of the client',
    observe: async ({ client }) => said(await client.ask('ping')),
    whole: ({ client }) => (client === 'legacy' ? '' : { error: 'METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION' }),
  },
  {
    kind: '`ping` of the server',
    exists: (cell) => cell.worker === 'legacy',
    observe: async ({ client }) => said(await client.call('ping_client')),
    whole: () => '{}',
  },
  {
    kind: '`notifications/roots/list_changed`',
    exists: ({ client }) => client === 'legacy',
    async observe({ client }) {
      const method = 'notifications/roots/list_changed';
      await client.tellRoots();
      // Every call behind it is read after it.
      return ((await seenBy(client)).notifications[method] ?? 0) > 0;
    },
    whole: () => true,
    verdict(cell) {
      if (spokenBy(cell) === 'modern')
        return { lossy: '2026-07-28 has no such message: folders are said anew with each call', seen: false };
      return isToldByProxy(cell) ? { lossy: foldersPerProcess, seen: false } : undefined;
    },
  },
  {
    kind: 'a method nobody knows',
    // By hand: over HTTP it is a 404, which the second SDK shows as an error of its own.
    async observe(stage) {
      const { text } = await (await stage.raw()).ask('vendor/unheard-of');
      return (JSON.parse(text) as { error?: { code: number } }).error?.code;
    },
    whole: () => -32601,
  },
];
