import { readFacts, type ServerFacts } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import type { Multiplexer } from '../mcp/multiplexer.ts';
import type { Era } from '../mcp/versions.ts';
import type { Clock } from '../time/clock.ts';

export interface Greeting {
  readonly mux: Multiplexer;
  readonly era: Era;
  readonly greeting: Message;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** A handshake that came to nothing. The message holds nothing the child wrote. */
export class HandshakeFailure extends Error {
  override readonly name = 'HandshakeFailure';
  /** The server answered, and said no: it may be of the other era. */
  readonly isRefusal: boolean;

  constructor(message: string, isRefusal: boolean) {
    super(message);
    this.isRefusal = isRefusal;
  }
}

/** Send the handshake and wait for what the server says of itself. Rejects with a HandshakeFailure. */
export async function greet({ mux, era, greeting, clock, timeoutMs }: Greeting): Promise<ServerFacts> {
  const answer = await new Promise<Message | string>((resolve) => {
    const stopTimer = clock.after(timeoutMs, () => {
      resolve(`it did not answer ${greeting.method} within ${timeoutMs} ms`);
    });
    const settle = (outcome: Message | string) => {
      stopTimer();
      resolve(outcome);
    };
    mux.request(greeting, {
      reply: settle,
      progress: () => undefined,
      fail: (error) => {
        settle(error.message);
      },
    });
  });
  if (typeof answer === 'string') throw new HandshakeFailure(answer, false);
  const facts = readFacts(era, answer);
  if ('problem' in facts) throw new HandshakeFailure(facts.problem, facts.isRefusal);
  return facts;
}
