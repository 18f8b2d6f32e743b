import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Missed } from '../sessions/replay.ts';
import type { Session } from '../sessions/session.ts';
import { type EventStream, openEventStream, prime } from './event-stream.ts';
import { header } from './mcp-headers.ts';

/**
 * A GET: listen to what belongs to no call, or go on with a stream whose connection broke (2025-11-25 transports,
 * "Listening for Messages from the Server" and "Resumability and Redelivery"). Undefined if there is nothing to wait for.
 * @throws {ProxyError} INVALID_REQUEST if what was missed cannot be told again
 */
export function openListening(
  session: Session,
  request: IncomingMessage,
  response: ServerResponse,
): EventStream | undefined {
  const lastEventId = header(request, 'last-event-id');
  const missed = lastEventId === undefined ? undefined : session.replay?.missedSince(lastEventId);
  if (missed?.stream.isEnded && missed.messages.length === 0) {
    // It has everything. On 204 an event source comes no more; an empty stream it would ask for again and again.
    response.writeHead(204, { 'content-type': 'text/event-stream' }).end();
    return undefined;
  }
  const connection = openEventStream(response);
  if (missed) goOn(session, missed, { connection, response });
  else listenAnew(session, { connection, response });
  return connection;
}

interface Opened {
  readonly connection: EventStream;
  readonly response: ServerResponse;
}

function goOn(
  session: Session,
  { stream, messages, hasGap }: Missed,
  { connection, response }: Opened,
): void {
  if (hasGap) connection.comment('some of what was missed is not kept any more');
  else if (messages.length === 0) connection.flush();
  stream.resume(connection, messages);
  if (stream.kind === 'listening') session.listen(stream);
  response.once('close', () => {
    if (stream.disconnected(connection)) session.unlisten(stream);
  });
}

function listenAnew(session: Session, { connection, response }: Opened): void {
  const stream = session.replay?.open('listening', connection);
  if (stream && session.readsEmptyEvents) prime(connection, stream.eventId, session.retryMs);
  else connection.flush();
  session.listen(stream ?? connection);
  response.once('close', () => {
    if (stream?.disconnected(connection) ?? true) session.unlisten(stream ?? connection);
  });
}
