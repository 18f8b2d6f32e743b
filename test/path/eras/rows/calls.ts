import { expect } from 'vitest';
import { spokenBy } from '../cell.ts';
import { isProxied, type Row, said, saidJson, seenBy, until } from '../row.ts';

const size = 9 * 1024 * 1024;

/** `tools/call`, and what may happen in the middle of it. */
export const calls: readonly Row[] = [
  {
    kind: '`tools/call`: text, `structuredContent`, `_meta`',
    observe: ({ client }) => client.call('echo', { text: 'zażółć 🙂 \u2028' }),
    whole: () => ({
      result: {
        content: [{ type: 'text', text: 'zażółć 🙂 \u2028' }],
        structuredContent: { text: 'zażółć 🙂 \u2028' },
        _meta: { 'example.com/n': 7 },
      },
    }),
  },
  {
    kind: '`tools/call`: pictures, sounds, resources and links',
    async observe({ client }) {
      const outcome = await client.call('content');
      if ('error' in outcome) return outcome;
      return (outcome.result['content'] as { type: string }[]).map(({ type }) => type);
    },
    whole: () => ['text', 'image', 'audio', 'resource', 'resource_link'],
  },
  {
    kind: '`tools/call`: `structuredContent` that is no object',
    exists: ({ worker }) => worker !== 'legacy',
    async observe({ client }) {
      const outcome = await client.call('numbers');
      return 'error' in outcome ? outcome : outcome.result['structuredContent'];
    },
    whole: ({ client }) => (client === 'modern' ? [1, 2, 3] : { result: [1, 2, 3] }),
  },
  {
    kind: '`tools/call`: an error of the tool',
    observe: async ({ client }) => said(await client.call('tool_error')),
    whole: () => ({ toolError: 'the tool failed' }),
  },
  {
    kind: '`tools/call`: a JSON-RPC error of the server',
    // Some servers say -32601 of a tool that they do not know, and mean no method.
    observe: async ({ client }) => [
      await client.call('fail', { code: -32050 }),
      await client.call('fail', { code: -32601 }),
    ],
    whole: () =>
      [-32050, -32601].map((code) => ({ error: { code, message: 'asked to fail', data: { why: 'asked' } } })),
  },
  {
    kind: '`tools/call`: no such tool',
    observe: async ({ client }) => client.call('nothing'),
    whole: () => ({ error: expect.objectContaining({ code: -32602 }) as unknown }),
  },
  {
    kind: '`tools/call`: parameters that travel as headers too (`x-mcp-header`)',
    async observe({ client }) {
      await client.ask('tools/list');
      return saidJson(await client.call('headers', { region: 'Łódź', count: 7, dry: true, note: 'plain' }));
    },
    whole: () => ({ region: 'Łódź', count: 7, dry: true, note: 'plain' }),
  },
  {
    kind: '`tools/call`: an answer of 9 MiB',
    // Straight from a pipe the official clients take a quarter of a minute for it.
    exists: isProxied,
    async observe({ client }) {
      const text = said(await client.call('big', { bytes: size }));
      return typeof text === 'string' ? text.length : text;
    },
    whole: () => size,
  },
  {
    kind: '`notifications/progress`',
    async observe({ client }) {
      const steps: unknown[] = [];
      const onProgress = (progress: number, total: number | undefined) => steps.push([progress, total]);
      return [said(await client.call('progress', { steps: 3 }, { onProgress })), steps];
    },
    whole: () => [
      'done',
      [
        [1, 3],
        [2, 3],
        [3, 3],
      ],
    ],
  },
  {
    kind: 'many calls at once, each with its own answer and progress',
    async observe({ client }) {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      return Promise.all(
        names.map(async (name, at) => {
          const steps: number[] = [];
          const onProgress = (progress: number) => steps.push(progress);
          const [echo, progress] = await Promise.all([
            client.call('echo', { text: name }),
            client.call('progress', { steps: at + 1 }, { onProgress }),
          ]);
          return [said(echo), said(progress), steps.length];
        }),
      );
    },
    whole: () => ['a', 'b', 'c', 'd', 'e', 'f'].map((name, at) => [name, 'done', at + 1]),
  },
  {
    kind: 'calling off (`notifications/cancelled`, or closing the stream)',
    async observe({ client }) {
      const before = (await seenBy(client)).cancelled.length;
      const off = new AbortController();
      const asked = client.call('hang', {}, { signal: off.signal });
      // One that is answered behind it shows that it is there.
      await client.call('echo', { text: 'there' }).catch(() => undefined);
      off.abort('enough');
      const outcome = await asked;
      await until(async () => (await seenBy(client)).cancelled.length > before);
      return 'error' in outcome;
    },
    whole: () => true,
  },
  {
    kind: 'a call that takes long, and the next one of the same client',
    async observe({ client }) {
      const order: unknown[] = [];
      const slow = client.call('slow', { ms: 150 }).then((outcome) => order.push(said(outcome)));
      const quick = client.call('echo', { text: 'quick' }).then((outcome) => order.push(said(outcome)));
      await Promise.all([slow, quick]);
      return order.length === 2 && order.includes('quick') && order.includes('slept 150');
    },
    whole: () => true,
  },
  {
    kind: 'the era in which the worker is spoken to',
    async observe({ client }) {
      const { era } = saidJson(await client.call('whoami')) as { era: string };
      return era;
    },
    whole: (cell) => spokenBy(cell),
  },
];
