import { ToolFailure } from '../kit/failure.ts';
import { createHttpClient, type HttpAnswer } from '../kit/http-client.ts';
import { isObject } from '../kit/rpc.ts';
import { tryParseJson } from '../kit/json.ts';
import { withRetry } from '../kit/retry.ts';
import { isLoopback } from '../kit/variable-kinds.ts';
import { restUrl } from './api-url.ts';
import type { AutotaskWorkshop } from './workshop.ts';

/** Where this account's API is. */
export interface Zone {
  /** The REST API without its version, ending with `/`. Looked up once, by many callers together. */
  apiUrl(signal: AbortSignal): Promise<URL>;
  /** Look it up again next time: databases do move between zones. */
  forget(): void;
}

export function createZone(workshop: AutotaskWorkshop): Zone {
  const { settings } = workshop;
  const given = settings.apiUrl ?? settings.zone;
  let found: Promise<URL> | undefined;
  return {
    apiUrl(signal) {
      if (given) return Promise.resolve(given);
      if (!found) {
        // Not the caller's own signal: others wait for the same answer.
        found = lookUp(workshop);
        found.catch(() => (found = undefined));
      }
      return Promise.race([found, aborted(signal)]);
    },
    forget() {
      found = undefined;
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = (): void => reject(new ToolFailure('CANCELLED', 'The call was called off'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

async function lookUp({ settings, clock, log }: AutotaskWorkshop): Promise<URL> {
  const { zoneLookupUrl, username, timeoutMs } = settings;
  const url = new URL(zoneLookupUrl);
  url.searchParams.set('user', username);
  const vendor = 'Autotask (zone lookup)';
  const client = createHttpClient({ vendor, origin: url, timeoutMs, maxBytes: 64 * 1024, clock });
  const { signal } = new AbortController();
  // Without credentials: the host that answers is not the one they are for.
  const ask = async (): Promise<URL> =>
    readZone(await client.send({ method: 'GET', url, signal }), zoneLookupUrl);
  const zone = await withRetry(ask, { isSafe: true, clock, signal, log });
  log.info('zone.found', `The API of this account is at ${zone.origin}`);
  return zone;
}

function readZone({ status, text }: HttpAnswer, lookup: URL): URL {
  const body = tryParseJson(text);
  if (status === 500 && isObject(body)) {
    throw new ToolFailure('UNAUTHENTICATED', 'Autotask knows no zone for this user', {
      status,
      hint: 'Check AUTOTASK_API_USERNAME; it must be an API user. If the zone is known, set AUTOTASK_ZONE',
    });
  }
  if (status !== 200 || !isObject(body) || typeof body['url'] !== 'string') {
    throw new ToolFailure('UNAVAILABLE', `The zone lookup of Autotask answered with status ${status}`, {
      status,
      retryable: status >= 500 || status === 429,
      hint: 'If the zone is known, set AUTOTASK_ZONE, such as ww6',
    });
  }
  return trustedZone(body['url'], lookup);
}

/** The secret goes to the host that is named here, so it must be one of the vendor's. */
function trustedZone(written: string, lookup: URL): URL {
  const zone = URL.canParse(written) ? new URL(written) : undefined;
  const isVendors = zone?.protocol === 'https:' && zone.hostname.endsWith('.autotask.net');
  const isTried = zone !== undefined && isLoopback(lookup) && isLoopback(zone);
  if (!zone || !(isVendors || isTried))
    throw new ToolFailure('BAD_REPLY', 'The zone lookup of Autotask named a host outside autotask.net');
  return restUrl().read(zone.href);
}
