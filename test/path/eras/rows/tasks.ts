import { expect } from 'vitest';
import { type Cell } from '../cell.ts';
import { type EraClient } from '../era-client.ts';
import { isProxied, type Row, said, until } from '../row.ts';

/** Tasks of 2025-11-25: both sides have to be of that era. Those of 2026-07-28 are another extension. */
const exists = ({ client, worker }: Cell) => client === 'legacy' && worker === 'legacy';

interface Task {
  readonly taskId: string;
  readonly status: string;
}

async function begin(client: EraClient, args: object = {}): Promise<Task> {
  const params = { name: 'work', arguments: args, task: { ttl: 60_000 } };
  const outcome = await client.ask('tools/call', params);
  if ('error' in outcome) throw new Error(JSON.stringify(outcome.error));
  return outcome.result['task'] as Task;
}

const statusOf = async (client: EraClient, taskId: string) => {
  const outcome = await client.ask('tasks/get', { taskId });
  return 'error' in outcome ? outcome.error.code : outcome.result['status'];
};

export const tasks: readonly Row[] = [
  {
    kind: 'tasks of 2025-11-25: are they offered?',
    exists: ({ worker }) => worker === 'legacy',
    observe: ({ client }) => Promise.resolve('tasks' in client.server.capabilities),
    whole: ({ client }) => client === 'legacy',
  },
  {
    kind: 'a task: begun, watched, its result',
    exists,
    async observe({ client }) {
      const { taskId, status } = await begin(client, { ms: 60 });
      const ended = await until(async () => {
        const now = await statusOf(client, taskId);
        return now !== 'working' && now;
      });
      const outcome = await client.ask('tasks/result', { taskId });
      return { status, ended, said: said(outcome) };
    },
    whole: () => ({ status: 'working', ended: 'completed', said: 'worked' }),
  },
  {
    kind: '`tasks/list`',
    exists,
    async observe({ client }) {
      const { taskId } = await begin(client, { ms: 5 });
      const outcome = await client.ask('tasks/list');
      if ('error' in outcome) return outcome.error.code;
      return (outcome.result['tasks'] as Task[]).some((task) => task.taskId === taskId);
    },
    whole: () => true,
  },
  {
    kind: '`tasks/cancel`',
    exists,
    async observe({ client }) {
      const { taskId } = await begin(client, { ms: 30_000 });
      await client.ask('tasks/cancel', { taskId });
      return statusOf(client, taskId);
    },
    whole: () => 'cancelled',
  },
  {
    kind: "another principal's task",
    exists: (cell) => exists(cell) && isProxied(cell),
    async observe(stage) {
      const stranger = await stage.stranger();
      const { taskId } = await begin(stage.client, { ms: 30_000 });
      const listed = await stranger.ask('tasks/list');
      const answers = [
        await statusOf(stranger, taskId),
        said(await stranger.ask('tasks/result', { taskId })),
        said(await stranger.ask('tasks/cancel', { taskId })),
        'error' in listed ? listed.error.code : (listed.result['tasks'] as unknown[]).length,
        await statusOf(stage.client, taskId),
      ];
      await stage.client.ask('tasks/cancel', { taskId });
      return answers;
    },
    whole: () => [-32602, { error: -32602 }, { error: -32602 }, 0, 'working'],
  },
  {
    kind: 'a call that may become a task, made as a plain one',
    exists: ({ worker }) => worker === 'legacy',
    observe: async ({ client }) => said(await client.call('work', { ms: 5 })),
    whole: () => 'worked',
  },
  {
    kind: '`tasks/get` where there are no tasks',
    exists: (cell) => !exists(cell),
    observe: async ({ client }) => said(await client.ask('tasks/get', { taskId: 'none' })),
    whole: () => ({ error: expect.anything() as unknown }),
  },
];
