import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Connections } from '../../../src/http/connections.ts';

const stalledMs = 60;
/** More than all buffers on the way hold. */
const large = 32 * 1024 * 1024;
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const unfinishedPost = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{';

/** A server that cuts what stands still, and one connection to it. */
async function start(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const connections = new Connections();
  const server = createServer(connections.oneAtATime(handle));
  connections.cutStalled(server, stalledMs);
  const stoodStill = new Promise((resolve) => server.once('timeout', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const closed = new Promise((resolve) => client.once('close', resolve));
  onTestFinished(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { client, closed, stoodStill };
}

const heard = (client: Socket, text: string) =>
  new Promise<void>((resolve) => {
    let all = '';
    client.on('data', (piece) => {
      all += String(piece);
      if (all.includes(text)) resolve();
    });
  });

test('a client that waits for its answer is not cut, however long it takes', async () => {
  const asked: ServerResponse[] = [];
  const { client, stoodStill } = await start((_request, response) => asked.push(response));
  client.write(get);
  await stoodStill;
  const answer = heard(client, 'late');
  asked[0]?.end('late');
  await answer;
  expect(client.destroyed).toBe(false);
});

test('but one that does not read it is, also if it had to wait for it', async () => {
  const asked: ServerResponse[] = [];
  const { client, stoodStill } = await start((_request, response) => asked.push(response));
  client.pause();
  client.write(get.repeat(2));
  await stoodStill;
  const cut = new Promise((resolve) => asked[0]?.once('close', resolve));
  asked[0]?.end(Buffer.alloc(large));
  await cut;
  expect(asked).toHaveLength(1);
  expect(client.bytesRead).toBeLessThan(large);
});

test.each([
  ['says nothing', '', 'nothing'],
  ['does not finish its request', unfinishedPost, 'nothing'],
  ['stands still while its answer has begun', get, 'beginning'],
])('a client is cut that %s', async (_name, text, answer) => {
  const { client, closed } = await start((_request, response) => {
    if (answer === 'beginning') response.flushHeaders();
  });
  client.resume();
  client.write(text);
  await closed;
});

test('requests on one connection are taken one after the other', async () => {
  const asked: ServerResponse[] = [];
  const { client } = await start((_request, response) => asked.push(response));
  client.write(get.repeat(2));
  for (const [nth, text] of ['first', 'second'].entries()) {
    await expect.poll(() => asked.length).toBe(nth + 1);
    const answer = heard(client, text);
    asked[nth]?.end(text);
    await answer;
  }
});

test('none is taken behind an answer that ends the connection', async () => {
  const asked: ServerResponse[] = [];
  const { client, closed } = await start((_request, response) => {
    asked.push(response);
    response.setHeader('connection', 'close').end('last');
  });
  client.resume();
  client.write(get.repeat(2));
  await closed;
  expect(asked).toHaveLength(1);
});
