import { createServer, request } from 'node:http';
import { type AddressInfo } from 'node:net';

/** The official suite cannot send a key, so this stands between: the same request, Host and Origin as sent, plus one. */
export async function addKey(target: string, key: string): Promise<{ url: string; stop: () => void }> {
  const { hostname, port, pathname } = new URL(target);
  const server = createServer((incoming, answer) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${key}` };
    const { method, url: path } = incoming;
    const forwarded = request({ hostname, port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      // An event stream that is still silent must look open to the client at once.
      answer.flushHeaders();
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    forwarded.on('error', () => answer.destroy());
    answer.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`, stop };
}
