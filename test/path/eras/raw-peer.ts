import { spawn } from 'node:child_process';
import { mcpHeaders, openRawSession, send } from '../../support/raw-session.ts';
import type { Era } from './cell.ts';

export const modernVersion = '2026-07-28';

/** A client that writes its bytes itself and sees those of the answer. */
export interface RawPeer {
  /**
   * The answer to a request, as it came: the JSON-RPC message and, over HTTP, the status. `members` is the text between
   * the braces of `params`; `_meta` is put behind it where the era wants one. `headers` go before those that belong.
   */
  ask(method: string, members?: string, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

const envelope = (capabilities: object) =>
  `"_meta":${JSON.stringify({
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  })}`;

/** Over HTTP, through the proxy. */
export async function openRawHttp(
  url: string,
  key: string,
  era: Era,
  capabilities: object = {},
): Promise<RawPeer> {
  if (era === 'legacy') {
    const session = await openRawSession(url, key, { capabilities });
    return {
      async ask(method, members = '', headers = {}) {
        const body = `{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(method)},"params":{${members}}}`;
        const exchange = await session.post(body, headers);
        await exchange.ended;
        return { status: exchange.status, text: exchange.messages.at(-1) ?? '' };
      },
      close: () => Promise.resolve(),
    };
  }
  return {
    async ask(method, members = '', headers = {}) {
      const params = `{${members === '' ? '' : `${members},`}${envelope(capabilities)}}`;
      const body = `{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(method)},"params":${params}}`;
      const name = nameIn(params);
      const standard = {
        'mcp-protocol-version': modernVersion,
        'mcp-method': method,
        ...(name !== undefined && { 'mcp-name': name }),
      };
      const exchange = await send(url, { headers: mcpHeaders(key, { ...standard, ...headers }), body });
      await exchange.ended;
      return { status: exchange.status, text: exchange.messages.at(-1) ?? '' };
    },
    close: () => Promise.resolve(),
  };
}

function nameIn(params: string): string | undefined {
  const { name, uri } = JSON.parse(params) as { name?: string; uri?: string };
  return name ?? uri;
}

/** Over a pipe, to a process of its own. */
export async function openRawPipe(program: string, era: Era, capabilities: object = {}): Promise<RawPeer> {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map<number, (text: string) => void>();
  let tail = '';
  // Not by node:readline, which ends a line at U+2028 too since Node 24.
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (tail + chunk).split('\n');
    tail = lines.pop() ?? '';
    for (const line of lines) {
      const { id } = JSON.parse(line) as { id?: number };
      if (id !== undefined) waiting.get(id)?.(line);
    }
  });
  let lastId = 0;
  const post = (method: string, params: string): Promise<string> =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      child.stdin.write(
        `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}\n`,
      );
    });
  if (era === 'legacy') {
    const clientInfo = { name: 'raw', version: '1' };
    await post('initialize', JSON.stringify({ protocolVersion: '2025-11-25', capabilities, clientInfo }));
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  }
  return {
    async ask(method, members = '') {
      const meta = era === 'modern' ? envelope(capabilities) : '';
      const params = [members, meta].filter((part) => part !== '').join(',');
      return { status: 200, text: await post(method, `{${params}}`) };
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}
