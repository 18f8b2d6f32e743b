import { describe, expect, test } from 'vitest';
import type { Visitor } from '../../../src/calls/call.ts';
import { routeNotification, routeRequest } from '../../../src/workers/attribution.ts';
import type { Sharing } from '../../../src/workers/spec.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { messageOf } from '../calls/some-call.ts';
import { createListener, createTalker } from './some-talk.ts';

const elicit = (id: string) =>
  readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":{}}`));
const roots = messageOf({ id: 5, method: 'roots/list' });
const able = { capabilities: { elicitation: {}, roots: {} } };

const tasks = { heard: () => undefined, ownerOf: () => undefined, lineOf: () => undefined };

/** A session that can answer, or cannot, on a worker of its own or of many. */
function createAsked(own = able) {
  const listener = createListener(own);
  const talker = createTalker(listener.line);
  const origin = { worker: talker.worker, sharing: 'shared' as Sharing, lines: [listener.line], tasks };
  return {
    ...listener,
    ...talker,
    open: talker.worker.talk.questions,
    cancel: (requestId: unknown) =>
      routeNotification(origin, messageOf({ method: 'notifications/cancelled', params: { requestId } })),
  };
}

function createVisitor(capabilities: Visitor['capabilities']) {
  const asked: string[] = [];
  const visitor: Visitor = {
    capabilities,
    clientInfo: undefined,
    logLevel: undefined,
    ask({ method }) {
      asked.push(method);
      return { withdraw: () => undefined };
    },
  };
  return { visitor, asked };
}

/** The only thing it was sent is a refusal, with the id of its question. */
function expectRefusal(sent: readonly string[], idText: string): void {
  expect(sent).toHaveLength(1);
  const [text = ''] = sent;
  expect(text).toContain(`"id":${idText},`);
  expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { code: -32601 } });
}

describe('a question of the server', () => {
  test('is put to whose the only call is, and the answer goes to the worker, once', () => {
    const { worker, call, line, asked, sent, open } = createAsked();
    const only = call(line);
    routeRequest({ worker, sharing: 'shared', tasks }, elicit('"é"'));
    expect(asked.map(({ method, call }) => [method, call])).toEqual([['elicitation/create', only]]);
    expect([...open.values()].map(({ call }) => call)).toEqual([only]);
    asked[0]!.answer('{"result":1}');
    expect([sent, open.size]).toEqual([['{"result":1}'], 0]);
  });

  test.each(['7', '"é"', '1.0', '12345678901234567891'])(
    'is refused with its own id %s where it is not certain who is meant',
    (id) => {
      const { worker, call, line, asked, sent, open } = createAsked();
      call(line);
      call(line);
      routeRequest({ worker, sharing: 'shared', tasks }, elicit(id));
      expectRefusal(sent, id);
      expect([asked, open.size]).toEqual([[], 0]);
    },
  );

  test('is refused where no call is, unless the worker is one session’s', () => {
    const { worker, asked, sent } = createAsked();
    routeRequest({ worker, sharing: 'leased', tasks }, elicit('7'));
    expectRefusal(sent, '7');
    routeRequest({ worker, sharing: 'exclusive', tasks }, elicit('8'));
    expect(asked.map(({ call }) => call)).toEqual([undefined]);
    expect(sent).toHaveLength(1);
  });

  test('is refused where nobody calls and the one session cannot answer', () => {
    const { worker, asked, sent } = createAsked();
    routeRequest(
      { worker, sharing: 'exclusive', tasks },
      messageOf({ id: 7, method: 'sampling/createMessage', params: {} }),
    );
    expectRefusal(sent, '7');
    expect(asked).toEqual([]);
  });

  test('for roots is asked only on a worker that is one session’s', () => {
    const { worker, call, line, asked, sent } = createAsked();
    call(line);
    routeRequest({ worker, sharing: 'leased', tasks }, roots);
    expectRefusal(sent, '5');
    routeRequest({ worker, sharing: 'exclusive', tasks }, roots);
    expect(asked.map(({ method }) => method)).toEqual(['roots/list']);
  });

  test('that the client cannot answer is refused, and its call goes on', () => {
    const { worker, call, line, asked, sent } = createAsked({ capabilities: { elicitation: {}, roots: {} } });
    const only = call(line);
    routeRequest(
      { worker, sharing: 'shared', tasks },
      messageOf({ id: 7, method: 'sampling/createMessage', params: {} }),
    );
    expectRefusal(sent, '7');
    expect([asked, only.cancellation.reason]).toEqual([[], undefined]);
  });
});

describe('of a visitor', () => {
  test('the visitor is asked, and not the line it came on', () => {
    const { worker, call, line, asked, sent, open } = createAsked();
    const guest = createVisitor({ elicitation: {} });
    call(line, { visitor: guest.visitor });
    routeRequest({ worker, sharing: 'shared', tasks }, elicit('7'));
    expect([guest.asked, asked, sent, open.size]).toEqual([['elicitation/create'], [], [], 1]);
  });

  test('a call that needs what it has not declared is over, and says what it takes', () => {
    const { worker, call, line, asked, sent } = createAsked();
    const guest = createVisitor({});
    const only = call(line, { visitor: guest.visitor });
    routeRequest({ worker, sharing: 'shared', tasks }, elicit('7'));
    expectRefusal(sent, '7');
    const reason = only.cancellation.reason!;
    expect([reason.code, reason.executed]).toEqual(['MISSING_CAPABILITY', 'unknown']);
    expect(reason.message).toContain('elicitation');
    expect(reason).toMatchObject({ details: { requiredCapabilities: { elicitation: {} } } });
    expect([guest.asked, asked]).toEqual([[], []]);
  });

  test('a call is not over for a request that is no question', () => {
    const { worker, call, line, sent } = createAsked();
    const only = call(line, { visitor: createVisitor({}).visitor });
    routeRequest({ worker, sharing: 'shared', tasks }, messageOf({ id: 7, method: 'own/question' }));
    expectRefusal(sent, '7');
    expect(only.cancellation.reason).toBeUndefined();
  });

  test('of several calls of its own worker the one is meant that is not being asked yet', () => {
    const { worker, call, line, sent } = createAsked();
    const [one, two] = [createVisitor({ elicitation: {} }), createVisitor({ elicitation: {} })];
    call(line, { visitor: one.visitor });
    routeRequest({ worker, sharing: 'exclusive', tasks }, elicit('7'));
    call(line, { visitor: two.visitor });
    routeRequest({ worker, sharing: 'exclusive', tasks }, elicit('8'));
    expect([one.asked, two.asked, sent]).toEqual([['elicitation/create'], ['elicitation/create'], []]);
  });
});

describe('a question the server takes back', () => {
  test('is withdrawn from the client, and its answer is waited for no more', () => {
    const { worker, call, line, withdrawn, open, cancel } = createAsked();
    call(line);
    routeRequest({ worker, sharing: 'shared', tasks }, elicit('7'));
    cancel('7');
    expect([withdrawn, open.size]).toEqual([[], 1]);
    cancel(7);
    expect([withdrawn, open.size]).toEqual([['elicitation/create'], 0]);
    cancel(7);
    cancel(undefined);
    expect(withdrawn).toHaveLength(1);
  });
});
