import { parseAnswer } from '../../../support/machine-pid.ts';
import { type EraClient } from '../era-client.ts';
import { heardOf, isProxied, type Row, said, until } from '../row.ts';
import { type Stage } from '../stage.ts';

const updated = 'notifications/resources/updated';
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const uri = 'test://changing';

async function logsOf(client: EraClient, level: string, data: string): Promise<unknown[]> {
  await client.call('log', { data }, { logLevel: level });
  return heardOf(client, 'notifications/message')
    .filter(({ params }) => params['data'] === data)
    .map(({ params }) => params['level']);
}

/** One of the lists grows, and who listens hears of it. */
const listRow = (list: 'tools' | 'prompts' | 'resources'): Row => ({
  kind: `\`notifications/${list}/list_changed\``,
  async observe({ client }) {
    const method = `notifications/${list}/list_changed`;
    const stop = await client.listen({ lists: [list] });
    const before = client.heard.length;
    const name = said(await client.call('add', { list }));
    await until(() => heardOf(client, method, before).length > 0);
    const all = await everyPage(client, list);
    await stop();
    return [heardOf(client, method, before).length, all.includes(name)];
  },
  whole: () => [1, true],
});

async function everyPage(client: EraClient, list: string): Promise<unknown[]> {
  const found: unknown[] = [];
  let cursor: unknown;
  do {
    const outcome = await client.ask(`${list}/list`, cursor === undefined ? {} : { cursor });
    if ('error' in outcome) return [outcome.error.code];
    found.push(...(outcome.result[list] as { name: string }[]).map(({ name }) => name));
    cursor = outcome.result['nextCursor'];
  } while (cursor !== undefined);
  return found;
}

async function hearsOf(client: EraClient, act: () => Promise<unknown>): Promise<unknown[]> {
  const before = client.heard.length;
  await act();
  await until(() => heardOf(client, updated, before).length > 0);
  return heardOf(client, updated, before).map(({ params }) => params['uri']);
}

/** What a server says of itself. */
export const news: readonly Row[] = [
  {
    kind: '`notifications/message`, one call at a time',
    observe: ({ client }) => logsOf(client, 'debug', 'all of them'),
    whole: () => levels,
  },
  {
    kind: '`notifications/message`, from a level on (`logging/setLevel`, `logLevel`)',
    observe: ({ client }) => logsOf(client, 'error', 'only the bad ones'),
    whole: () => levels.slice(4),
  },
  {
    kind: '`notifications/message`, while a call of another client is with the worker',
    exists: isProxied,
    async observe(stage) {
      const other = await stage.second();
      const before = other.heard.length;
      const off = new AbortController();
      const held = other.call('hang', {}, { signal: off.signal });
      // One that is answered behind it shows that it is there.
      await other.call('echo', { text: 'there' });
      const logged = await logsOf(stage.client, 'alert', 'beside another');
      off.abort('enough');
      await held;
      const leaked = heardOf(other, 'notifications/message', before).length;
      return { logged, leaked };
    },
    whole: () => ({ logged: ['alert', 'emergency'], leaked: 0 }),
    verdict: ({ way }) =>
      way === 'shared'
        ? {
            lossy: 'no message says which call it is about: while it could be of several, nobody is shown it',
            seen: { logged: [], leaked: 0 },
          }
        : undefined,
  },
  listRow('tools'),
  listRow('prompts'),
  listRow('resources'),
  {
    kind: '`resources/subscribe` / `subscriptions/listen`, and `notifications/resources/updated`',
    async observe({ client }) {
      const stop = await client.listen({ resources: [uri] });
      const heard = await hearsOf(client, () => client.call('touch', { uri }));
      await client.call('touch', { uri: 'test://static' });
      await stop();
      const before = client.heard.length;
      await client.call('touch', { uri });
      // What would have come had come before this list's change, which every client hears.
      const stopLists = await client.listen({ lists: ['prompts'] });
      await client.call('add', { list: 'prompts' });
      await until(() => heardOf(client, 'notifications/prompts/list_changed', before).length > 0);
      await stopLists();
      return { heard, after: heardOf(client, updated, before).length };
    },
    whole: () => ({ heard: [uri], after: 0 }),
  },
  {
    kind: 'a subscription of one client is not the end of the other one',
    exists: isProxied,
    async observe(stage) {
      const other = await stage.second();
      const stop = await stage.client.listen({ resources: [uri] });
      const stopOther = await other.listen({ resources: [uri] });
      await stopOther();
      const heard = await hearsOf(stage.client, () => stage.client.call('touch', { uri }));
      await stop();
      return heard;
    },
    whole: () => [uri],
  },
  {
    kind: 'a subscription outlives the worker',
    exists: isProxied,
    observe: outlive,
    whole: () => ({ isAnother: true, heard: [uri] }),
  },
];

/** The process dies under its clients; whoever had subscribed hears of the next one's changes. */
async function outlive({ client }: Stage): Promise<unknown> {
  const stop = await client.listen({ resources: [uri] });
  const pidOf = async () => {
    const text = said(await client.call('whoami'));
    return typeof text === 'string' && text.startsWith('{')
      ? (parseAnswer(text) as { pid: number }).pid
      : undefined;
  };
  const first = await pidOf();
  process.kill(first ?? Number.NaN, 'SIGKILL');
  const second = await until(async () => {
    const pid = await pidOf();
    return pid !== undefined && pid !== first && pid;
  });
  const heard = await hearsOf(client, () => client.call('touch', { uri }));
  await stop();
  return { isAnother: second !== first, heard };
}
