import type { ServerResponse } from 'node:http';
import { type EventStream, openEventStream } from './event-stream.ts';

/**
 * The answer to one POST: plain JSON if there is nothing to say before it, else an event stream that
 * ends with it (2025-11-25 transports, "Sending Messages to the Server").
 */
export interface PostReply {
  /** Say something ahead of the answer; from then on the answer is an event stream. */
  readonly tell: (message: readonly Buffer[]) => void;
  /** The answer, or the answers of a batch. */
  finish(answers: readonly (readonly Buffer[])[], isBatch: boolean): void;
  /** Nothing will be answered: a cancelled call gets no response. */
  abandon(): void;
  /** Called now and then while the call runs, so that nobody on the way takes the silence for death. */
  readonly stayAwake: () => void;
}

export function createPostReply(
  response: ServerResponse,
  extra: () => Readonly<Record<string, string>>,
): PostReply {
  let stream: EventStream | undefined;
  const streaming = () => (stream ??= openEventStream(response, extra()));

  function sendJson(parts: readonly Buffer[]): void {
    let length = 0;
    for (const part of parts) length += part.length;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length, ...extra() });
    const [only] = parts;
    if (parts.length === 1) {
      response.end(only);
      return;
    }
    response.cork();
    for (const part of parts) response.write(part);
    response.end();
  }

  return {
    tell(message) {
      if (!response.destroyed && !response.writableEnded) streaming().write(message);
    },
    finish(answers, isBatch) {
      if (response.destroyed || response.writableEnded) return;
      if (stream) {
        for (const answer of answers) stream.write(answer);
        stream.close();
      } else if (isBatch) {
        sendJson(joined(answers));
      } else {
        sendJson(answers[0] ?? []);
      }
    },
    abandon() {
      if (!response.destroyed && !response.writableEnded) streaming().close();
    },
    stayAwake() {
      if (!response.destroyed && !response.writableEnded) streaming().comment();
    },
  };
}

function joined(answers: readonly (readonly Buffer[])[]): Buffer[] {
  const parts: Buffer[] = [];
  for (const [index, answer] of answers.entries())
    parts.push(Buffer.from(index === 0 ? '[' : ','), ...answer);
  return [...parts, Buffer.from(']')];
}
