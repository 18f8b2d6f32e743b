import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

/** What became of one call, as its client saw it. */
export interface Ended {
  readonly tenant: string;
  readonly nonce: string;
  /** `ok`, the code of an error, or `left`: the client closed the connection or called it off. */
  readonly outcome: string;
  /** What the proxy says of it. */
  readonly executed: 'yes' | 'no' | 'unknown';
  /** Every text the client got for it. */
  readonly text: string;
  /** How many answers came. */
  readonly answers: number;
}

interface Execution {
  readonly nonce: string;
  readonly canary: string;
  readonly pid: number;
}

/**
 * Everything that was asked, told and done in a run, written down by two witnesses who know nothing of each other: the
 * clients, and the servers' processes over a line of their own. The proxy is believed in nothing.
 */
export class History {
  readonly ended: Ended[] = [];
  readonly executions: Execution[] = [];
  readonly #server: Server;
  #speaking = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#speaking++;
      socket.on('error', () => undefined);
      socket.once('close', () => this.#speaking--);
      createInterface({ input: socket }).on('line', (line) => {
        this.executions.push(JSON.parse(line) as Execution);
      });
    });
  }

  static async open(): Promise<History> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new History(server);
  }

  /** Where servers tell what they do. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Are all servers gone that told something, and all they told is heard? */
  get isComplete(): boolean {
    return this.#speaking === 0;
  }

  close(): void {
    this.#server.close();
  }

  /** What must never be, found in this run; empty if all is well. */
  violations(): string[] {
    const executed = new Map<string, Execution[]>();
    for (const execution of this.executions) {
      executed.set(execution.nonce, [...(executed.get(execution.nonce) ?? []), execution]);
    }
    return this.ended.flatMap((call) => this.#violationsOf(call, executed.get(call.nonce) ?? []));
  }

  #violationsOf(call: Ended, executions: readonly Execution[]): string[] {
    const { tenant, nonce, outcome, text, answers } = call;
    const own = `canary-of-${tenant}`;
    const foreign = (text.match(/canary-of-\w+|nonce-[\w-]+/g) ?? []).filter(
      (word) => word !== own && word !== nonce,
    );
    const times = executions.length;
    const wrongs: Readonly<Record<string, boolean>> = {
      [`told of ${foreign.join(', ')}`]: foreign.length > 0,
      'an answer that is not its own': outcome === 'ok' && !text.includes(nonce),
      [`${answers} answers`]: answers > 1 || (answers === 0 && outcome !== 'left'),
      [`executed ${times} times`]: times > 1,
      'executed by another tenant': executions.some(({ canary }) => canary !== own),
      'answered and not executed': outcome === 'ok' && times === 0,
      'said to be not executed, and was': call.executed === 'no' && times > 0,
    };
    const found = Object.entries(wrongs).filter(([, isWrong]) => isWrong);
    return found.map(([what]) => `${tenant} ${nonce} (${outcome}): ${what}`);
  }
}
