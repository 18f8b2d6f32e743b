import { ToolFailure } from '../kit/failure.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from '../kit/http-client.ts';
import { createLimiter } from '../kit/limiter.ts';
import { withRetry } from '../kit/retry.ts';
import { readAnswer } from './answers.ts';
import type { AutotaskWorkshop } from './workshop.ts';
import { createZone } from './zone.ts';

export interface AutotaskRequest {
  readonly method: HttpRequest['method'];
  /** Below `V1.0/`, or an absolute link that the API gave. */
  readonly path: string;
  readonly body?: unknown;
  /** Whether asking twice does no harm; queries are POSTs and only read. */
  readonly isRead: boolean;
  readonly signal: AbortSignal;
}

export interface Connection {
  /** The answer's JSON. Throws ToolFailure. */
  request(request: AutotaskRequest): Promise<Record<string, unknown>>;
  /** The API's origin and path, for people. */
  address(signal: AbortSignal): Promise<string>;
}

/** A ticket's attachment may have 7 MB, which are 10 in base64. */
const maxAnswerBytes = 16 * 1024 ** 2;

/** One account: its zone, its credentials, its limits. */
export function createConnection(workshop: AutotaskWorkshop): Connection {
  const { settings, clock, log } = workshop;
  const { timeoutMs } = settings;
  const zone = createZone(workshop);
  const limiter = createLimiter({ concurrency: settings.threads });
  let client: HttpClient | undefined;

  const headers = headersOf(workshop);

  async function once({
    method,
    path,
    body,
    isRead,
    signal,
  }: AutotaskRequest): Promise<Record<string, unknown>> {
    const api = new URL('V1.0/', await zone.apiUrl(signal));
    if (client?.origin !== api.origin)
      client = createHttpClient({
        vendor: 'Autotask',
        origin: api,
        timeoutMs,
        maxBytes: maxAnswerBytes,
        clock,
      });
    const url = urlBelow(api, path);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await client.send({ method, url, headers, body: text, signal });
    log.debug('vendor.asked', `${method} ${url.pathname} ${answer.status}`);
    return readAnswer(answer, !isRead, clock);
  }

  return {
    async request(request) {
      const { path, isRead, signal } = request;
      const attempt = () => limiter.run(endpointOf(path), signal, () => once(request));
      try {
        return await withRetry(attempt, { isSafe: isRead, clock, signal, log });
      } catch (thrown) {
        if (thrown instanceof ToolFailure && thrown.status === 401) zone.forget();
        throw thrown;
      }
    },
    address: async (signal) => (await zone.apiUrl(signal)).href,
  };
}

function headersOf({ settings }: AutotaskWorkshop): Readonly<Record<string, string>> {
  const { username, secret, integrationCode, impersonationResourceId: other } = settings;
  return {
    Accept: 'application/json',
    'Content-Type': 'application/json',
    UserName: username,
    Secret: secret,
    ApiIntegrationCode: integrationCode,
    ...(other !== undefined && { ImpersonationResourceId: String(other) }),
  };
}

/** A link of the vendor's must stay where the credentials belong. */
function urlBelow(api: URL, path: string): URL {
  const url = new URL(path, api);
  const isBelow = url.pathname.toLowerCase().startsWith(api.pathname.toLowerCase());
  if (url.origin === api.origin && isBelow) return url;
  throw new ToolFailure(
    'BAD_REPLY',
    'A link to a next page leads away from the API of this account and was not followed',
  );
}

/** Threads are counted for each kind of record: the first word of the path, wherever the API is. */
function endpointOf(path: string): string {
  const below = /\/V1\.0\/(.*)$/i.exec(path)?.[1] ?? path;
  return below.split(/[/?]/)[0] ?? '';
}
