import { randomUUID } from 'node:crypto';

/** A self-client of one tenant, as its owner made it in Zoho's console. */
export interface SelfClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly portal: string;
}

export interface IssuedToken {
  readonly text: string;
  readonly expiresAt: number;
  readonly client: SelfClient;
}

export interface TokenReply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const windowMs = 10 * 60_000;
const maxInWindow = 10;
const maxLive = 15;

/** How a throttled accounts server answers: reports differ about the status. */
export const throttled = (status: 200 | 400): TokenReply => ({
  status,
  body: {
    error: 'Access Denied',
    error_description: 'You have made too many requests continuously. Please try again after some time.',
    status: 'failure',
  },
});

/** Zoho's accounts server: hands out tokens, no more than ten in ten minutes, no more than fifteen alive. */
export function createAccounts(
  now: () => number,
  settings: { saysScope: boolean; throttleStatus: 200 | 400 },
) {
  const clients: SelfClient[] = [];
  const issued: (IssuedToken & { readonly at: number })[] = [];
  let live: IssuedToken[] = [];
  const revoked = new Set<string>();
  const codes = new Map<string, { readonly client: SelfClient; readonly until: number }>();

  function grant(form: URLSearchParams): TokenReply {
    const client = clients.find(({ clientId }) => clientId === form.get('client_id'));
    if (client?.clientSecret !== form.get('client_secret'))
      return { status: 200, body: { error: 'invalid_client' } };
    if (form.get('grant_type') === 'authorization_code') return exchange(client, form.get('code') ?? '');
    const { refreshToken } = client;
    if (refreshToken !== form.get('refresh_token') || revoked.has(refreshToken))
      return { status: 200, body: { error: 'invalid_code' } };
    const lately = issued.filter((token) => token.client === client && token.at > now() - windowMs);
    if (lately.length >= maxInWindow) return throttled(settings.throttleStatus);
    return { status: 200, body: issue(client) };
  }

  /** Once, and within the minutes that were chosen in the console. */
  function exchange(client: SelfClient, code: string): TokenReply {
    const found = codes.get(code);
    codes.delete(code);
    if (found?.client !== client || found.until < now())
      return { status: 200, body: { error: 'invalid_code' } };
    return { status: 200, body: { ...issue(client), refresh_token: client.refreshToken } };
  }

  function issue(client: SelfClient): Record<string, unknown> {
    const token = {
      text: `1000.${randomUUID()}.${randomUUID()}`,
      expiresAt: now() + 3_600_000,
      client,
      at: now(),
    };
    issued.push(token);
    const own = [...live.filter((each) => each.client === client), token];
    const killed = new Set(own.slice(0, Math.max(0, own.length - maxLive)));
    live = [...live, token].filter((each) => !killed.has(each as typeof token));
    return {
      access_token: token.text,
      expires_in: 3600,
      token_type: 'Bearer',
      api_domain: 'https://www.zohoapis.com',
      ...(settings.saysScope ? { scope: client.scopes.join(' ') } : {}),
    };
  }

  return {
    /** What the console gives its owner. */
    makeCode(client: SelfClient, minutes: number): string {
      const code = `1000.${randomUUID()}`;
      codes.set(code, { client, until: now() + minutes * 60_000 });
      return code;
    },
    addClient: (client: SelfClient) => void clients.push(client),
    grant,
    /** Somebody else uses the same refresh token. */
    issueElsewhere: (client: SelfClient) => void issue(client),
    revoke: (refreshToken: string) => void revoked.add(refreshToken),
    /** Makes a token unknown to the API, as when it is killed by a later one. */
    kill(text: string) {
      live = live.filter((token) => token.text !== text);
    },
    find: (text: string) => live.find((token) => token.text === text && token.expiresAt > now()),
    scopesOf: (text: string) => live.find((token) => token.text === text)?.client.scopes ?? [],
    issued: issued as readonly (IssuedToken & { readonly at: number })[],
  };
}
