import {
  type ClientRequest,
  createServer,
  IncomingMessage,
  request,
  type RequestListener,
  type RequestOptions,
} from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A server that answers with `handle`, until the test is over. Returns its port. */
export async function serve(handle: RequestListener): Promise<number> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** Begins a request on a connection of its own. */
export function begin(port: number, options: RequestOptions = {}): ClientRequest {
  const started = request({ host: '127.0.0.1', port, agent: false, ...options });
  // A connection that the server cuts is what some tests are about.
  started.on('error', () => undefined);
  return started;
}

/** The response, with its body still to be read. */
export const responseOf = (started: ClientRequest) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    started.once('response', resolve);
    started.once('error', reject);
  });

/** What a GET gets from `handle`: status, headers and body. */
export async function fetched(handle: RequestListener) {
  const started = begin(await serve(handle));
  started.end();
  const response = await responseOf(started);
  const { statusCode, headers } = response;
  return { statusCode, headers, body: await text(response) };
}

/** A request that came with `headers`, their names in lower case as Node gives them. */
export function requestWith(headers: Readonly<Record<string, string>>): IncomingMessage {
  const incoming = new IncomingMessage(new Socket());
  incoming.headers = { ...headers };
  return incoming;
}

export const eventOf = (message: string) => `event: message\ndata: ${message}\n\n`;

/** A promise and the way to settle it (`Promise.withResolvers`, which Node 20 has not). */
export function pledge<Value = undefined>() {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve: (value: Value) => resolve(value) };
}
