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
  /** It said nothing as long as it was waited for, and was still there. */
  readonly isSilence: boolean;

  constructor(message: string, { isRefusal = false, isSilence = false } = {}) {
    super(message);
    this.isRefusal = isRefusal;
    this.isSilence = isSilence;
  }
}

/** Send the handshake and wait for what the server says of itself. Rejects with a HandshakeFailure. */
export async function greet({ mux, era, greeting, clock, timeoutMs }: Greeting): Promise<ServerFacts> {
  const answer = await new Promise<Message | HandshakeFailure>((resolve) => {
    const stopTimer = clock.after(timeoutMs, () => {
      const problem = `it did not answer ${greeting.method} within ${timeoutMs} ms`;
      resolve(new HandshakeFailure(problem, { isSilence: true }));
    });
    const settle = (outcome: Message | HandshakeFailure) => {
      stopTimer();
      resolve(outcome);
    };
    mux.request(greeting, {
      reply: settle,
      progress: () => undefined,
      fail: (error) => {
        settle(new HandshakeFailure(error.message));
      },
    });
  });
  if (answer instanceof HandshakeFailure) throw answer;
  const facts = readFacts(era, answer);
  if ('problem' in facts) throw new HandshakeFailure(facts.problem, facts);
  return facts;
}
