/** One MCP client on one connection that stays open; one request at a time, as HTTP/1.1 has it. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { headerIn, messageIn, takeAnswer } from './http-answers.mjs';

const protocolVersion = '2025-06-18';
const modernVersion = '2026-07-28';
const envelope = {
  'io.modelcontextprotocol/protocolVersion': modernVersion,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const modernHead = [`MCP-Protocol-Version: ${modernVersion}`, 'Mcp-Method: tools/call', 'Mcp-Name: echo'];
const readSize = 16 * 1024;
const introduction = {
  protocolVersion,
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
};
/** Clients of one session must not use one id at the same time: some bridges lose an answer then, and may. */
const idsEach = 10_000_000;
let clients = 0;

export class Client {
  #url;
  #key;
  #session;
  #head = '';
  #socket;
  #received = '';
  #settle;
  #lastId;
  #wantsProgress;
  #listenHead;
  #opened;
  /** A bridge that mixes up two clients must not be able to give the right answer by chance. */
  #mark = randomBytes(4).toString('hex');

  #meta;

  /**
   * `progress`: every call asks to be told of it, so that its answer is a stream of events. `modern`: no session, and
   * every call says for itself who asks (2026-07-28).
   */
  constructor({ url, key, progress = false, modern = false }) {
    this.#meta = modern ? JSON.stringify(envelope).slice(1, -1) : undefined;
    this.#wantsProgress = progress;
    this.#url = new URL(url);
    this.#key = key;
    this.#lastId = ++clients * idsEach;
  }

  get session() {
    return this.#session;
  }

  async connect() {
    const { hostname: host, port } = this.#url;
    // One buffer for all that is ever read: nothing is allocated while we measure somebody else.
    const onread = {
      buffer: Buffer.allocUnsafe(readSize),
      callback: (size, buffer) => this.#read(buffer.latin1Slice(0, size)),
    };
    this.#socket = connect({ host, port: Number(port), noDelay: true, onread });
    await new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#finish(new Error('the connection was closed')));
  }

  /** Servers end connections that were silent for some seconds; a session outlives its connection. */
  async reconnect() {
    if (this.#socket.destroyed) await this.connect();
  }

  /** Open a session, or go on in one that is open. May be called again: each time is a session more. */
  async open(session) {
    this.#use(session);
    if (session !== undefined || this.#meta !== undefined) return;
    const answer = await this.#ask('initialize', introduction);
    this.#use(headerIn(answer.head, 'mcp-session-id'));
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** Call `echo`; `done(error)` hears of it once the answer has been compared with what was asked. */
  echo(done) {
    const id = ++this.#lastId;
    const text = `${this.#mark}-${id}`;
    const members = [this.#meta, this.#wantsProgress ? `"progressToken":${id}` : undefined].filter(Boolean);
    const meta = members.length > 0 ? `,"_meta":{${members.join(',')}}` : '';
    this.#send(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"${text}"}${meta}}}`,
      (error, answer) => done(error ?? this.#missing(answer) ?? mistakeIn(answer, id, text)),
    );
  }

  /** Listens on a stream of the session it has, and on nothing else any more. Resolves when the stream is open. */
  listen() {
    const opened = new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#settle = reject;
    });
    this.#socket.write(this.#listenHead, 'latin1');
    return opened;
  }

  #missing({ head, body }) {
    if (!this.#wantsProgress) return undefined;
    const isStream = headerIn(head, 'content-type') === 'text/event-stream';
    return isStream && body.includes('notifications/progress')
      ? undefined
      : new Error('no progress was told');
  }

  close() {
    this.#settle = undefined;
    this.#socket?.destroy();
  }

  /** Only `initialize` goes without the version: it is what negotiates it. */
  #use(session) {
    this.#session = session;
    this.#head = [
      `POST ${this.#url.pathname} HTTP/1.1`,
      `Host: ${this.#url.host}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      ...(this.#key === undefined ? [] : [`Authorization: Bearer ${this.#key}`]),
      ...(this.#meta === undefined ? [] : modernHead),
      ...(session === undefined
        ? []
        : [`Mcp-Session-Id: ${session}`, `MCP-Protocol-Version: ${protocolVersion}`]),
      'Content-Length: ',
    ].join('\r\n');
    this.#listenHead = `${this.#head
      .replace('POST', 'GET')
      .replace('application/json, ', '')
      .replace(/Content-(Type|Length): .*(\r\n)?/g, '')}\r\n`;
  }

  async #ask(method, params) {
    const id = ++this.#lastId;
    const answer = await this.#post({ jsonrpc: '2.0', id, method, params });
    const message = messageIn(answer, id);
    if (message.id !== id || message.result === undefined)
      throw new Error(`${method} failed: ${answer.body.slice(0, 300)}`);
    return answer;
  }

  async #post(message) {
    const answer = await new Promise((resolve, reject) => {
      this.#send(JSON.stringify(message), (error, received) => (error ? reject(error) : resolve(received)));
    });
    if (answer.status >= 300)
      throw new Error(`${message.method}: HTTP ${answer.status} ${answer.body.slice(0, 300)}`);
    return answer;
  }

  #send(body, settle) {
    if (this.#socket.destroyed) return void settle(new Error('the connection is closed'));
    this.#settle = settle;
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1');
  }

  #read(text) {
    if (this.#opened !== undefined) return void this.#heard(text);
    this.#received = this.#received === '' ? text : this.#received + text;
    let answer;
    try {
      answer = takeAnswer(this.#received);
    } catch (error) {
      this.#socket.destroy();
      return void this.#finish(error);
    }
    if (answer === undefined) return;
    const { end } = answer;
    this.#received = end === this.#received.length ? '' : this.#received.slice(end);
    this.#finish(undefined, answer);
  }

  /** What is said on a stream is of no interest; that it is open is. */
  #heard(text) {
    if (/^HTTP\/1\.1 200 /.test(text)) this.#settle = undefined;
    if (this.#settle === undefined) this.#opened();
    else this.#finish(new Error(`no stream: ${text.slice(0, 300)}`));
  }

  #finish(error, answer) {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error, answer);
  }
}

/** What is wrong with an answer, if anything: another's id, another's text, an error, no JSON. */
function mistakeIn(answer, id, text) {
  try {
    const message = messageIn(answer, id);
    if (message.id === id && message.result?.content?.[0]?.text === text) return undefined;
  } catch (error) {
    return error;
  }
  return new Error(`asked ${text}, got HTTP ${answer.status} ${answer.body.slice(0, 300)}`);
}
