import type { ServerResponse } from 'node:http';
import { sizeOf } from '../mcp/parts.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionStream } from '../sessions/resumable-stream.ts';
import { type EventStream, openEventStream, prime } from './event-stream.ts';

/**
 * The answer to one POST: plain JSON if there is nothing to say before it, else an event stream that
 * ends with it (2025-11-25 transports, "Sending Messages to the Server").
 */
export interface PostReply {
  /** Say something ahead of the answer; from then on the answer is an event stream. False if nobody will ever read it. */
  readonly tell: (message: readonly Buffer[]) => boolean;
  /** The answer, or the answers of a batch. `status` counts as long as nothing was said ahead of it. */
  finish(answers: readonly (readonly Buffer[])[], isBatch: boolean, status?: number): void;
  /** Was something said ahead of the answer? Then all that is still to come is an event, an error too. */
  isStream(): boolean;
  /** Nothing will be answered: a cancelled call gets no response. */
  abandon(): void;
  /** Called now and then while the call runs, so that nobody on the way takes the silence for death. */
  readonly stayAwake: () => void;
  /** Runs `then` once the answer has left, or the client has: until then the answer takes up memory. */
  readonly sent: (then: () => void) => void;
}

export interface PostReplyOptions {
  /** Headers of the answer, asked for as late as can be. */
  readonly extra: () => Readonly<Record<string, string>>;
  /** Whose stream it will be, if it becomes one: a client that loses its connection can then come again for the rest. */
  readonly session: () => Session | undefined;
}

/** Up to this much is copied once more, which is cheaper than a piece more for the kernel. In bytes. */
const joinUpTo = 16 * 1024;

/** An event stream, and where what is written to it goes from there. */
interface Streaming {
  readonly connection: EventStream;
  readonly stream: SessionStream;
}

export function createPostReply(response: ServerResponse, { extra, session }: PostReplyOptions): PostReply {
  let open: Streaming | undefined;
  const sent = whenClosed(response);
  const isGone = () => response.destroyed || response.writableEnded;

  /** Undefined if it is too late: a client that was told nothing cannot come again for the rest. */
  function streaming(): Streaming | undefined {
    if (!open && !isGone()) open = begin(openEventStream(response, extra()), session(), sent);
    return open;
  }

  function sendJson(parts: readonly Buffer[], status: number): void {
    const length = sizeOf(parts);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...extra() });
    const [only] = parts;
    if (parts.length === 1 && only) {
      // As text it leaves in one piece with the head.
      if (length <= joinUpTo) response.end(only.toString('latin1'), 'latin1');
      else response.end(only);
      return;
    }
    response.cork();
    for (const part of parts) response.write(part);
    response.end();
  }

  let isFinished = false;
  return {
    isStream: () => open !== undefined,
    tell(message) {
      return !isFinished && (streaming()?.stream.write(message) ?? false);
    },
    finish(answers, isBatch, status = 200) {
      if (isFinished) return;
      isFinished = true;
      if (open) {
        for (const answer of answers) open.stream.write(answer);
        open.stream.close();
      } else if (!isGone()) {
        sendJson(isBatch ? joined(answers) : (answers[0] ?? []), status);
      }
    },
    abandon() {
      if (isFinished) return;
      isFinished = true;
      if (open) open.stream.close();
      // Without an id to come again with: there is nothing to come for.
      else if (!isGone()) openEventStream(response, extra()).close();
    },
    stayAwake() {
      if (!isFinished) streaming()?.connection.comment();
    },
    sent,
  };
}

/** One listener, however many calls of a batch there are. */
function whenClosed(response: ServerResponse): PostReply['sent'] {
  const waiting: (() => void)[] = [];
  return (then) => {
    if (response.closed) {
      then();
      return;
    }
    if (waiting.length === 0)
      response.once('close', () => {
        for (const each of waiting) each();
      });
    waiting.push(then);
  };
}

/** With a session that keeps what it says, its client can come again for the rest. */
function begin(connection: EventStream, owner: Session | undefined, closed: PostReply['sent']): Streaming {
  const stream = owner?.replay?.open('reply', connection);
  if (!stream) return { connection, stream: connection };
  if (owner?.readsEmptyEvents) prime(connection, stream.eventId, owner.retryMs);
  closed(() => stream.disconnected(connection));
  return { connection, stream };
}

function joined(answers: readonly (readonly Buffer[])[]): Buffer[] {
  const parts: Buffer[] = [];
  for (const [index, answer] of answers.entries())
    parts.push(Buffer.from(index === 0 ? '[' : ','), ...answer);
  return [...parts, Buffer.from(']')];
}
