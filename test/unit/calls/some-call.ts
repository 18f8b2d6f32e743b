import { type Call, Cancellation } from '../../../src/calls/call.ts';
import type { TenantId } from '../../../src/calls/ids.ts';
import { readMessage } from '../../../src/mcp/message.ts';

export const acme = 'acme' as TenantId;

export const messageOf = (message: object) =>
  readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message })));

/** A call like any other, unless `own` says what is special about it. */
export function someCall(own: Partial<Call> = {}): Call {
  return {
    requestId: 'r1',
    tenantId: acme,
    keyName: 'laptop',
    server: 'default',
    message: messageOf({ id: 1, method: 'tools/call' }),
    cancellation: new Cancellation(),
    tell: () => true,
    startedAt: 0,
    stayAwake: () => undefined,
    place: 0,
    dispatched: false,
    heardAt: 0,
    openQuestions: 0,
    deadline: { call: 60_000, max: 300_000 },
    ...own,
  };
}
