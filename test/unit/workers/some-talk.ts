import type { Call } from '../../../src/calls/call.ts';
import type { Caller } from '../../../src/calls/upstream.ts';
import type { Message } from '../../../src/mcp/message.ts';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { Conversation } from '../../../src/workers/conversation.ts';
import { plainKind } from '../../../src/workers/kind.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { acme, someCall } from '../calls/some-call.ts';

/** A session's line that keeps what it is told and asked. */
export function createListener(own: Partial<Caller & AttachedLine> = {}) {
  const { subscriptions = new Set(), logLevel, isGone = false, era = 'legacy', ...caller } = own;
  const heard: [string, Call | undefined][] = [];
  const asked: { method: string; call: Call | undefined; answer: (text: string) => void }[] = [];
  const withdrawn: string[] = [];
  const line: AttachedLine = {
    subscriptions,
    era,
    logLevel,
    isGone,
    homeless: () => undefined,
    caller: {
      tenantId: acme,
      keyName: 'ada',
      capabilities: {},
      isListening: true,
      hear: ({ method }, call) => heard.push([method, call]),
      ask({ method }, call, answer) {
        asked.push({ method, call, answer: (text) => answer([Buffer.from(text)]) });
        return { withdraw: () => withdrawn.push(method) };
      },
      ...caller,
    },
  };
  return { line, heard, asked, withdrawn };
}

/** A worker that runs no process: these sessions live on it, and what it is sent is kept. */
export function createTalker(...lines: AttachedLine[]) {
  const sent: string[] = [];
  const keep = (line: readonly Buffer[]) => void sent.push(Buffer.concat(line).toString());
  const ignore = () => undefined;
  const attached = new Set(lines);
  const talk = new Conversation({
    kind: plainKind,
    clock: createFakeClock(),
    lines: attached,
    send: ignore,
    listener: {
      request: ignore,
      notification: ignore,
      finished: ignore,
      timedOut: ignore,
      violation: ignore,
    },
  });
  return {
    worker: { lines: attached, talk, send: keep } as unknown as Worker,
    sent,
    /** Put a call of this session on the worker, where it stays. */
    call: (line: AttachedLine, own: Partial<Call> = {}): Call => {
      const call = someCall(own);
      talk.exchange({ call, line, edits: [] }, (answer: Message) => answer).catch(ignore);
      return call;
    },
  };
}
