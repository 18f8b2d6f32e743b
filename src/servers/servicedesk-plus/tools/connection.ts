import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { deskTool, type ToolMaker } from './module.ts';

/** Gets a token and asks for one request. Works with any scopes: that a token is good can be seen without the right to read. */
export const testConnection: ToolMaker = deskTool({
  name: 'test_connection',
  title: 'Test the connection',
  description: 'Whether the credentials, the data centre and the portal fit together',
  effect: 'read',
  scopes: [],
  input: z.strictObject({}),
  output: z.object({ connected: z.literal(true), canReadRequests: z.boolean() }),
  async run(_args, portal) {
    const input = { list_info: { row_count: 1, start_index: 1 } };
    try {
      await portal.send({ method: 'GET', path: ['requests'], input });
      return { data: { connected: true as const, canReadRequests: true } };
    } catch (thrown) {
      if (!(thrown instanceof ToolFailure) || thrown.code !== 'FORBIDDEN') throw thrown;
      return { data: { connected: true as const, canReadRequests: false } };
    }
  },
});
