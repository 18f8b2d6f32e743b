import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from '../../../src/mcp/framing.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { answerOf, Multiplexer } from '../../../src/mcp/multiplexer.ts';

const maxDepth = 64;
const maxLine = 1024 * 1024;

/** Spellings that a parser would make equal, or lose; few, so that many callers use the same. */
const spelling = fc.constantFrom(
  '1',
  '"1"',
  '1.0',
  '-0',
  '12345678901234567891',
  '"zażółć 🙂"',
  '"\\u0031"',
  '2',
);

/** What may happen next. Which of the calls is meant is a number to be taken modulo how many there are. */
const step = fc.oneof(
  fc.record({
    does: fc.constant('ask' as const),
    id: spelling,
    token: fc.option(spelling, { nil: undefined }),
  }),
  fc.record({
    does: fc.constantFrom('answer' as const, 'progress' as const, 'cancel' as const),
    which: fc.nat(),
  }),
  fc.record({ does: fc.constant('deliver' as const), bytes: fc.nat(120) }),
);

/** One call as the test knows it: what its caller must have heard, and what it has. */
interface Known {
  readonly innerId: number;
  readonly id: string;
  readonly token: string | undefined;
  state: 'open' | 'answered' | 'cancelled';
  isAnsweredByWorker: boolean;
  readonly expected: string[];
  readonly heard: string[];
}

/** A line that the worker has written and that has not arrived. */
interface Written {
  readonly call: Known;
  readonly kind: 'answer' | 'progress';
  readonly n: number;
  readonly bytes: Buffer;
}

const answerText = (id: string, n: number) => `{"jsonrpc":"2.0","id":${id},"result":{"n":${n},"text":"ł🙂"}}`;
const progressText = (token: string, n: number) =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":${n},"progressToken":${token}}}`;

/** Any number of callers on one worker whose bytes arrive whenever and however they are cut. */
class Crowd {
  readonly calls: Known[] = [];
  readonly sent: { id?: number; method?: string; params?: { requestId?: number } }[] = [];
  readonly violations: string[] = [];
  readonly #pipe: Written[] = [];
  #arrived = 0;
  #n = 0;
  readonly mux = new Multiplexer(
    (line) => this.sent.push(JSON.parse(Buffer.concat(line).toString()) as Crowd['sent'][number]),
    {
      request: () => this.violations.push('a question'),
      notification: () => this.violations.push('a notification'),
      answeredLate: () => undefined,
      strayProgress: () => undefined,
      violation: (reason) => this.violations.push(reason),
    },
  );
  readonly #splitter = splitLines(
    maxLine,
    (line) => this.mux.receive(line, maxDepth),
    () => this.violations.push('too long'),
  );

  ask(id: string, token: string | undefined): void {
    const meta = token === undefined ? '' : `,"_meta":{"progressToken":${token}}`;
    const text = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"x"${meta}}}`;
    const heard: string[] = [];
    const innerId = this.mux.request(readMessage(Buffer.from(text)), {
      reply: (response, idText) => heard.push(Buffer.concat(answerOf(response, idText)).toString()),
      progress: (notification) => heard.push(Buffer.concat(notification).toString()),
      fail: () => heard.push('failed'),
    });
    this.calls.push({ innerId, id, token, state: 'open', isAnsweredByWorker: false, expected: [], heard });
  }

  write(kind: 'answer' | 'progress', which: number): void {
    const call = this.calls[which % this.calls.length];
    if (!call || (kind === 'answer' && call.isAnsweredByWorker)) return;
    const n = ++this.#n;
    const own = String(call.innerId);
    const text = kind === 'answer' ? answerText(own, n) : progressText(own, n);
    if (kind === 'answer') call.isAnsweredByWorker = true;
    this.#pipe.push({ call, kind, n, bytes: Buffer.from(`${text}\n`) });
  }

  cancel(which: number): void {
    const call = this.calls[which % this.calls.length];
    if (!call) return;
    if (call.state === 'open') call.state = 'cancelled';
    this.mux.cancel(call.innerId);
  }

  /** So many bytes more arrive; what each whole line must bring is noted first. */
  deliver(bytes: number): void {
    const all = Buffer.concat(this.#pipe.map((line) => line.bytes));
    const from = this.#arrived;
    const end = Math.min(from + bytes, all.length);
    let at = 0;
    for (const line of this.#pipe) {
      at += line.bytes.length;
      if (at > from && at <= end) this.#expect(line);
    }
    this.#arrived = end;
    this.#splitter.push(all.subarray(from, end));
  }

  get left(): number {
    return this.#pipe.reduce((sum, { bytes }) => sum + bytes.length, 0) - this.#arrived;
  }

  #expect({ call, kind, n }: Written): void {
    if (call.state !== 'open') return;
    if (kind === 'answer') {
      call.state = 'answered';
      call.expected.push(answerText(call.id, n));
    } else if (call.token !== undefined) call.expected.push(progressText(call.token, n));
  }
}

test('whatever happens in whatever order, and however the bytes are cut, each caller hears its own and nothing else', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const crowd = new Crowd();
      for (const each of steps) {
        if (each.does === 'ask') crowd.ask(each.id, each.token);
        else if (each.does === 'deliver') crowd.deliver(each.bytes);
        else if (each.does === 'cancel') crowd.cancel(each.which);
        else crowd.write(each.does, each.which);
      }
      crowd.deliver(crowd.left);
      const { calls, sent, mux, violations } = crowd;
      expect(calls.map(({ heard }) => heard)).toEqual(calls.map(({ expected }) => expected));
      expect(violations).toEqual([]);
      // The worker: as many ids as calls, each once, and each call that was given up called off once by its id.
      const ids = sent.flatMap(({ id, method }) => (method === 'tools/call' ? [id] : []));
      expect(ids).toEqual(calls.map(({ innerId }) => innerId));
      expect(new Set(ids).size).toBe(calls.length);
      const off = sent.flatMap(({ method, params }) =>
        method === 'notifications/cancelled' ? [params?.requestId] : [],
      );
      const given = calls.filter(({ state }) => state === 'cancelled').map(({ innerId }) => innerId);
      expect(off.toSorted()).toEqual(given.toSorted());
      expect(mux.inFlight).toBe(calls.filter(({ state }) => state === 'open').length);
    }),
    { numRuns: 1000 },
  );
});
