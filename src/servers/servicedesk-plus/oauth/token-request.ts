import { toFailure } from '../../kit/failure.ts';
import type { HttpClient } from '../../kit/http-client.ts';
import { readTokenAnswer, type TokenAnswer } from './token-answer.ts';
import type { CacheIdentity } from './token-cache.ts';

/** Asks the accounts server for an access token, once. Does not throw. */
export async function askForToken(
  http: HttpClient,
  { accountsUrl, clientId, clientSecret, refreshToken }: CacheIdentity,
): Promise<TokenAnswer> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  });
  try {
    const answer = await http.send({
      method: 'POST',
      url: new URL('/oauth/v2/token', accountsUrl),
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      // Of no single call: many may wait for the answer, and a token that was asked for is spent.
      signal: new AbortController().signal,
    });
    return readTokenAnswer(answer.status, answer.text);
  } catch (thrown) {
    const { message, executed } = toFailure(thrown);
    return { kind: executed === 'no' ? 'unreachable' : 'failed', error: message };
  }
}
