import { mcpHeaders, openRawSession, type RawSession, send } from '../../support/raw-session.ts';
import type { RunningProxy } from '../../support/start-proxy.ts';
import type { Ended, History } from './history.ts';
import type { Random } from './random.ts';

/** What a client may do with its next call, and how often. */
export type Habit = 'call' | 'callOff' | 'leave' | 'modern' | 'reopen' | 'trespass';

export interface CrowdParts {
  readonly proxy: RunningProxy;
  readonly history: History;
  readonly random: Random;
  readonly tenants: readonly string[];
  readonly habits: readonly Habit[];
  readonly clientsEach: number;
}

let lastNonce = 0;

/** Clients of all tenants that do one thing after the other until they are told to stop. */
export function gather(parts: CrowdParts): { stop(): Promise<void> } {
  const state = { isOver: false };
  const goings = parts.tenants.flatMap((tenant) =>
    Array.from({ length: parts.clientsEach }, () => live(parts, tenant, () => !state.isOver)),
  );
  return {
    async stop() {
      state.isOver = true;
      await Promise.all(goings);
    },
  };
}

async function live(parts: CrowdParts, tenant: string, isOn: () => boolean): Promise<void> {
  const { proxy, random, history } = parts;
  let session: RawSession | undefined;
  while (isOn()) {
    // What is not there yet, or not any more, is asked for again: a client of the official SDK does the same.
    session ??= await openRawSession(proxy.url, proxy.keys[tenant]!).catch(() => undefined);
    if (!session) continue;
    const habit = random.of(parts.habits);
    if (habit === 'reopen') {
      session = undefined;
      continue;
    }
    const ended = await act(parts, { tenant, session, habit });
    history.ended.push(ended);
    if (ended.outcome === 'SESSION_NOT_FOUND' && habit !== 'trespass') session = undefined;
  }
}

interface Act {
  readonly tenant: string;
  readonly session: RawSession;
  readonly habit: Habit;
}

async function act({ proxy, random, tenants }: CrowdParts, { tenant, session, habit }: Act): Promise<Ended> {
  const nonce = `nonce-${++lastNonce}-${random.below(1e9).toString(36)}`;
  const ms = random.below(4) === 0 ? random.below(40) : 0;
  const params = { name: 'work', arguments: { nonce, ms } };
  const key =
    proxy.keys[habit === 'trespass' ? random.of(tenants.filter((each) => each !== tenant)) : tenant]!;
  const body = { jsonrpc: '2.0', id: nonce, method: 'tools/call', params };
  const leaving = new AbortController();
  const legacy = { headers: mcpHeaders(key, { 'Mcp-Session-Id': session.id }), body: JSON.stringify(body) };
  const sending = habit === 'modern' ? modernCall(key, body) : legacy;
  const sent = send(proxy.url, { ...sending, signal: leaving.signal }).catch(() => undefined);
  if (habit === 'callOff') {
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: nonce } };
    await session.post(JSON.stringify(cancelled)).catch(() => undefined);
  }
  if (habit === 'leave') setTimeout(() => leaving.abort(), random.below(30));
  const exchange = await sent;
  await exchange?.ended.catch(() => undefined);
  const isLeft = habit === 'leave' || habit === 'callOff';
  return readEnd({ tenant, nonce, messages: exchange?.messages ?? [], isLeft });
}

/** A request of 2026-07-28 says all of it by itself. */
function modernCall(
  key: string,
  body: { readonly method: string; readonly params: { readonly name: string } },
) {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'crowd', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': body.method,
    'mcp-name': body.params.name,
  };
  return {
    headers: mcpHeaders(key, headers),
    body: JSON.stringify({ ...body, params: { ...body.params, _meta: meta } }),
  };
}

interface Seen {
  readonly tenant: string;
  readonly nonce: string;
  readonly messages: readonly string[];
  readonly isLeft: boolean;
}

function readEnd({ tenant, nonce, messages, isLeft }: Seen): Ended {
  const text = messages.join('\n');
  const answers = messages
    .filter((message) => message !== '')
    .map((message) => JSON.parse(message) as Answer)
    .filter(({ result, error }) => result !== undefined || error !== undefined);
  const [answer] = answers;
  const base = { tenant, nonce, text, answers: answers.length };
  if (!answer) return { ...base, outcome: isLeft ? 'left' : 'nothing', executed: 'unknown' };
  if (!answer.error) return { ...base, outcome: 'ok', executed: 'yes' };
  const { code, data } = answer.error;
  return { ...base, outcome: data?.code ?? String(code), executed: data?.executed ?? 'unknown' };
}

interface Answer {
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly data?: { readonly code: string; readonly executed: 'no' | 'unknown' };
  };
}
