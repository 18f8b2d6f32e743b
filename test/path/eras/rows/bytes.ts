import { rawMembers } from '../../../fixtures/everything/answers.mjs';
import { isProxied, type Row, said } from '../row.ts';

/** A line as a parser would never write it. */
const members =
  '"big":9007199254740993,"huge":1e400,"minus":-0,"exact":1.50,"text":"\\u0000\\ud800 zażółć \\/ \\u00e9","deep":{"__proto__":[1]}';

const traced = '"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"';

interface RawMessage {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number };
}

/** What the SDKs do not show. */
export const bytes: readonly Row[] = [
  {
    kind: 'spelling of numbers and texts, towards the server',
    async observe(stage) {
      const raw = await stage.raw();
      const { text } = await raw.ask('tools/call', `"name":"raw_in","arguments":{${members}}`);
      const { result = {} } = JSON.parse(text) as RawMessage;
      return String(said({ result })).includes(`"arguments":{${members}}`);
    },
    whole: () => true,
  },
  {
    kind: 'spelling of numbers and texts, towards the client',
    async observe(stage) {
      const { text } = await (await stage.raw()).ask('tools/call', '"name":"raw_out","arguments":{}');
      return text.includes(`"structuredContent":{${rawMembers}}`);
    },
    whole: () => true,
  },
  {
    kind: 'unknown members and `_meta` of a request',
    async observe(stage) {
      const raw = await stage.raw();
      const meta = stage.cell.client === 'legacy' ? `,"_meta":{${traced}}` : '';
      const { text } = await raw.ask('tools/call', `"name":"raw_in","arguments":{},"vendor":{"x":1}${meta}`);
      const line = JSON.stringify(text);
      return [line.includes('vendor'), meta === '' || line.includes('traceparent')];
    },
    whole: () => [true, true],
  },
  {
    kind: 'members that only 2026-07-28 has: `resultType`, `ttlMs`, `cacheScope`',
    async observe(stage) {
      const { text } = await (await stage.raw()).ask('tools/list');
      const { result = {} } = JSON.parse(text) as RawMessage;
      return ['resultType', 'ttlMs', 'cacheScope'].map((key) => typeof result[key]);
    },
    whole: ({ client }) =>
      client === 'modern' ? ['string', 'number', 'string'] : ['undefined', 'undefined', 'undefined'],
  },
  {
    kind: '`Mcp-Param-*` that contradicts the body',
    exists: (cell) => cell.client === 'modern' && isProxied(cell),
    async observe(stage) {
      const members = '"name":"headers","arguments":{"region":"eu"}';
      const raw = await stage.raw();
      const of = ({ status, text }: { status: number; text: string }) => [
        status,
        (JSON.parse(text) as RawMessage).error?.code,
      ];
      return [
        of(await raw.ask('tools/call', members, { 'mcp-param-region': 'us' })),
        of(await raw.ask('tools/call', members)),
        of(await raw.ask('tools/call', members, { 'mcp-param-region': 'eu' })),
      ];
    },
    whole: () => [
      [400, -32020],
      [400, -32020],
      [200, undefined],
    ],
  },
  {
    kind: 'methods that 2026-07-28 has not: `initialize`, `ping`, `logging/setLevel`, `resources/subscribe`',
    exists: (cell) => cell.client === 'modern' && isProxied(cell),
    async observe(stage) {
      const raw = await stage.raw();
      const methods = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'tasks/get'];
      const answers = await Promise.all(methods.map((method) => raw.ask(method)));
      return answers.map(({ status, text }) => [status, (JSON.parse(text) as RawMessage).error?.code]);
    },
    whole: () => Array.from({ length: 5 }, () => [404, -32601]),
  },
];
