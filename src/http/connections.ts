import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** What is going on on each connection of a server's. */
export class Connections {
  readonly #last = new WeakMap<Socket, ServerResponse>();
  readonly #handled = new WeakMap<Socket, ServerResponse>();

  /**
   * One request at a time on each connection. Whoever sends hundreds in one packet and reads nothing would otherwise have
   * all their answers kept for it.
   */
  oneAtATime(handle: Handle): Handle {
    return (request, response) => {
      const { socket } = request;
      const before = this.#last.get(socket);
      this.#last.set(socket, response);
      const turn = () => {
        // Not if the answer before was the last on this connection.
        if (!socket.writable) return;
        this.#handled.set(socket, response);
        handle(request, response);
      };
      if (!before || before.closed) turn();
      else before.once('close', turn);
    };
  }

  /**
   * A connection that stands still for so long is cut: a client that does not read its answer must not have it kept for
   * ever. Not where the client waits for us: that is bounded by the call's deadline, and its server may take long to start.
   */
  cutStalled(server: Server, stalledMs: number): void {
    server.setTimeout(stalledMs, (socket: Socket) => {
      // With the first byte of the answer the connection's time begins anew.
      if (!this.#awaitsAnswer(socket)) socket.destroy();
    });
  }

  #awaitsAnswer(socket: Socket): boolean {
    const response = this.#handled.get(socket);
    return response !== undefined && response.req.complete && !response.headersSent;
  }
}
