import {
  listOf,
  prompts,
  resources,
  resourceTemplates,
  toolDefinitions,
} from '../../../fixtures/everything/lists.mjs';
import { type Outcome } from '../era-client.ts';
import { type Row, said } from '../row.ts';

type Entry = Readonly<Record<string, unknown>>;

const entriesOf = (outcome: Outcome, list: string): readonly Entry[] =>
  'result' in outcome ? ((outcome.result[list] ?? []) as Entry[]) : [];

/** What only some workers have is looked at where it belongs; what a row has added is not looked at here. */
const isOfAll = ({ name }: Entry) => !/^(added_\d+|numbers|work|ping_client)$/.test(String(name));

const numbers = { type: 'array', items: { type: 'integer' } };

/** What a server has, and what is read of it. */
export const lists: readonly Row[] = [
  {
    kind: '`tools/list`',
    observe: async ({ client }) => entriesOf(await client.ask('tools/list'), 'tools').filter(isOfAll),
    whole: () => listOf(toolDefinitions),
  },
  {
    kind: '`tools/list`: an `outputSchema` that is no object',
    exists: ({ worker }) => worker !== 'legacy',
    async observe({ client }) {
      const tools = entriesOf(await client.ask('tools/list'), 'tools');
      return tools.find(({ name }) => name === 'numbers')?.['outputSchema'];
    },
    // Before 2026-07-28 it must be an object; the SDK wraps it in the same way.
    whole: ({ client }) =>
      client === 'modern'
        ? numbers
        : { type: 'object', properties: { result: numbers }, required: ['result'] },
  },
  {
    kind: '`prompts/list`',
    observe: async ({ client }) => entriesOf(await client.ask('prompts/list'), 'prompts').filter(isOfAll),
    whole: () => prompts,
  },
  {
    kind: '`prompts/get`',
    async observe({ client }) {
      const params = { name: 'greet', arguments: { who: 'Ada', city: 'Łódź' } };
      return [
        await client.ask('prompts/get', params),
        said(await client.ask('prompts/get', { name: 'none' })),
      ];
    },
    whole: () => [
      { result: { messages: [{ role: 'user', content: { type: 'text', text: 'Hello Ada of Łódź' } }] } },
      { error: -32602 },
    ],
  },
  {
    kind: '`resources/list`, page by page',
    async observe({ client }) {
      const first = await client.ask('resources/list');
      if ('error' in first) return first;
      const cursor = first.result['nextCursor'];
      const second = await client.ask('resources/list', { cursor });
      return [
        typeof cursor,
        ...[...entriesOf(first, 'resources'), ...entriesOf(second, 'resources')].filter(isOfAll),
      ];
    },
    whole: () => ['string', ...resources],
  },
  {
    kind: '`resources/templates/list`',
    observe: async ({ client }) =>
      entriesOf(await client.ask('resources/templates/list'), 'resourceTemplates'),
    whole: () => resourceTemplates,
  },
  {
    kind: '`resources/read`: text, bytes, of a template',
    observe: async ({ client }) =>
      Promise.all(
        ['test://static', 'test://binary', 'test://items/7/lid'].map(async (uri) =>
          entriesOf(await client.ask('resources/read', { uri }), 'contents'),
        ),
      ),
    whole: () => [
      [{ uri: 'test://static', mimeType: 'text/plain', text: 'twelve bytes' }],
      [{ uri: 'test://binary', mimeType: 'application/octet-stream', blob: 'AAECAw==' }],
      [{ uri: 'test://items/7/lid', text: '7/lid' }],
    ],
  },
  {
    kind: '`resources/read` of what is not there',
    // By hand, because the second SDK shows both codes as the new one.
    async observe(stage) {
      const { text } = await (await stage.raw()).ask('resources/read', '"uri":"test://gone"');
      const { error } = JSON.parse(text) as { error?: { code: number; data: unknown } };
      return [error?.code, error?.data];
    },
    // -32002 until 2025-11-25; 2026-07-28 forbids it.
    whole: ({ client, worker }) => [
      client === 'legacy' && worker === 'legacy' ? -32002 : -32602,
      { uri: 'test://gone' },
    ],
  },
  {
    kind: '`completion/complete`, with what was filled in before',
    observe: async ({ client }) => {
      const ref = { type: 'ref/prompt', name: 'greet' };
      const plain = { ref, argument: { name: 'who', value: 'a' } };
      const context = { arguments: { who: 'pl' } };
      const known = { ref, argument: { name: 'city', value: 'L' }, context };
      return [await client.ask('completion/complete', plain), await client.ask('completion/complete', known)];
    },
    whole: () => [
      { result: { completion: { values: ['ada', 'alan'], total: 2, hasMore: false } } },
      { result: { completion: { values: ['Lublin'], total: 1, hasMore: false } } },
    ],
  },
];
