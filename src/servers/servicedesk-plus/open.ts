import { createHttpClient } from '../kit/http-client.ts';
import type { Workshop } from '../kit/serve.ts';
import type { Surface } from '../kit/surface.ts';
import { createServiceDesk } from './api/service-desk.ts';
import { consoleUrl } from './data-centers.ts';
import { noTokenFailure } from './oauth/no-token.ts';
import { allScopes } from './oauth/scopes.ts';
import { createTokenCache } from './oauth/token-cache.ts';
import { askForToken } from './oauth/token-request.ts';
import { TokenSource } from './oauth/token-source.ts';
import { type environment, type Places, placesOf, tokenFolderOf } from './settings.ts';
import { allTools } from './tools/all-tools.ts';

type Shop = Workshop<typeof environment>;

/** Shorter than a lock on the token's file may be held. */
const tokenTimeoutMs = 10_000;
const maxTokenBytes = 64 * 1024;
const maxAnswerBytes = 16 * 1024 * 1024;

export function openServiceDesk(workshop: Shop): Promise<Surface> {
  const { settings, clock, log } = workshop;
  const places = placesOf(settings);
  const http = createHttpClient({
    vendor: 'ServiceDesk Plus',
    origin: places.apiRoot,
    timeoutMs: settings.timeoutSeconds * 1000,
    maxBytes: maxAnswerBytes,
    clock,
  });
  const tokens = createTokens(workshop, places);
  const { allowedScopes, technicianEmail } = settings;
  const unheardOf = allowedScopes?.filter((scope) => !allScopes.has(scope)) ?? [];
  if (unheardOf.length > 0) log.warn('scopes.unknown', `No tool needs these scopes: ${unheardOf.join(', ')}`);
  const desk = createServiceDesk({
    http,
    tokens,
    clock,
    log,
    apiRoot: places.apiRoot.href,
    allowedScopes,
    technicianEmail,
  });
  return Promise.resolve({ tools: allTools(desk), close: () => tokens.settled() });
}

function createTokens(
  { settings, clock, log, redact }: Shop,
  { accountsUrl, dataCenter }: Places,
): TokenSource {
  const { clientId, clientSecret, refreshToken } = settings;
  const identity = { accountsUrl: accountsUrl.origin, clientId, clientSecret, refreshToken };
  const http = createHttpClient({
    vendor: "Zoho's accounts server",
    origin: accountsUrl,
    timeoutMs: tokenTimeoutMs,
    maxBytes: maxTokenBytes,
    clock,
  });
  const folder = tokenFolderOf(settings);
  const selfClients = dataCenter ? consoleUrl(dataCenter) : "Zoho's API console";
  return new TokenSource({
    cache: createTokenCache(folder, identity, () =>
      log.warn('token.unsaved', 'Access tokens cannot be kept: every start costs one of ten in ten minutes', {
        folder,
      }),
    ),
    ask: () => askForToken(http, identity),
    now: () => clock.wall(),
    onToken: ({ text, expiresAt }, isFetched) => {
      redact.add(text);
      const until = new Date(expiresAt).toISOString();
      if (isFetched) log.info('token.refreshed', 'Access token refreshed', { until });
      else log.debug('token.taken', 'Using the access token that another process fetched', { until });
    },
    onFailure: (reason) => {
      const error = reason.kind === 'throttled' ? 'too many requests' : reason.error;
      log.error('token.failed', 'Token refresh failed', { kind: reason.kind, error });
    },
    errorOf: (reason) => noTokenFailure(reason, selfClients),
  });
}
