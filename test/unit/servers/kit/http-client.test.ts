import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/servers/kit/clock.ts';
import { type ToolFailure } from '../../../../src/servers/kit/failure.ts';
import { createHttpClient, type HttpAnswer } from '../../../../src/servers/kit/http-client.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const never = new AbortController().signal;
const clientOf = (origin: URL, more: { timeoutMs?: number; maxBytes?: number } = {}) =>
  createHttpClient({
    vendor: 'Vendor',
    origin,
    timeoutMs: 5_000,
    maxBytes: 1_000,
    clock: systemClock,
    ...more,
  });
const failure = (promise: Promise<HttpAnswer>): Promise<ToolFailure> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (thrown: unknown) => thrown as ToolFailure,
  );

describe('the HTTP client of the servers', () => {
  test('gives status, headers and text, whatever the status is', async () => {
    const origin = await listen((request, response) => {
      response.writeHead(500, { 'x-a': 'b' }).end(`${request.method} ${request.headers['secret'] as string}`);
    });
    const headers = { Secret: 's' };
    const answer = await clientOf(origin).send({
      method: 'PATCH',
      url: origin,
      headers,
      body: '{}',
      signal: never,
    });
    expect([answer.status, answer.headers.get('x-a'), answer.text]).toEqual([500, 'b', 'PATCH s']);
  });

  test('sends nothing to another origin, whoever named it', async () => {
    let asked = 0;
    const other = await listen((_request, response) => {
      asked++;
      response.end();
    });
    const origin = await listen((_request, response) => response.end());
    const thrown = await failure(clientOf(origin).send({ method: 'GET', url: other, signal: never }));
    expect(thrown).toMatchObject({ code: 'INTERNAL_ERROR', executed: 'no' });
    expect(asked).toBe(0);
  });

  test('follows no redirect, so that credentials stay', async () => {
    let asked = 0;
    const other = await listen((_request, response) => {
      asked++;
      response.end();
    });
    const origin = await listen((_request, response) => {
      response.writeHead(302, { location: other.href }).end();
    });
    const thrown = await failure(clientOf(origin).send({ method: 'GET', url: origin, signal: never }));
    expect(thrown).toMatchObject({ code: 'BAD_REPLY', status: 302 });
    expect(asked).toBe(0);
  });

  test('waits no longer than its deadline, also for the last byte', async () => {
    const origin = await listen((_request, response) => void response.writeHead(200).write('half'));
    const thrown = await failure(
      clientOf(origin, { timeoutMs: 50 }).send({ method: 'GET', url: origin, signal: never }),
    );
    expect(thrown).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown', retryable: true });
  });

  test.each([
    ['announced', { 'content-length': '5000' }],
    ['found out', {}],
  ])('reads no more than it may, %s', async (_how, headers) => {
    const origin = await listen((_request, response) => {
      response.writeHead(200, headers).end('x'.repeat(5_000));
    });
    const thrown = await failure(clientOf(origin).send({ method: 'GET', url: origin, signal: never }));
    expect(thrown).toMatchObject({ code: 'BAD_REPLY' });
    expect(thrown.message).toContain('larger than 1 KiB');
  });

  test('stops when the caller does, and the vendor sees it', async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      void listen((_request, response) => {
        response.on('close', resolve);
        controller.abort();
      }).then(async (origin) => {
        const thrown = await failure(
          clientOf(origin).send({ method: 'GET', url: origin, signal: controller.signal }),
        );
        expect(thrown).toMatchObject({ code: 'CANCELLED', executed: 'unknown' });
      });
    });
    await closed;
  });

  test('tells what cannot have happened from what may have', async () => {
    const gone = await listen((_request, response) => response.end());
    open.splice(0).forEach((server) => server.close());
    const refused = await failure(clientOf(gone).send({ method: 'POST', url: gone, signal: never }));
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', executed: 'no', retryable: true });
    expect(refused.message).toContain('ECONNREFUSED');

    const origin = await listen((request) => request.socket.destroy());
    const cut = await failure(clientOf(origin).send({ method: 'POST', url: origin, signal: never }));
    expect(cut).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown', retryable: true });
  });

  test('refuses to be made for an origin in the clear', () => {
    expect(() => clientOf(new URL('http://vendor.example/'))).toThrow(/https/);
  });
});
