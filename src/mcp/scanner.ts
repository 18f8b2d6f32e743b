import { isUtf8 } from 'node:buffer';
import { metaKeys } from './meta-keys.ts';

/** Where one value stands in the bytes: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Why the bytes are no JSON value we pass on. Says where, never quotes: a secret may stand there. */
export class ScanError extends Error {
  override readonly name = 'ScanError';
  readonly kind: 'syntax' | 'too_deep' | 'duplicate' | 'encoding';
  readonly at: number;

  constructor(kind: ScanError['kind'], at: number, message: string) {
    super(`${message} at byte ${at}`);
    this.kind = kind;
    this.at = at;
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** Bytes that may stand in a string as they are: no control character, no quote, no backslash. */
const plain = new Uint8Array(256).fill(1, 0x20);
plain[quote] = 0;
plain[backslash] = 0;

const escapes = new Set(Buffer.from('"\\/bfnrtu'));

/** Keys that stand in nearly every message. They are found by comparing bytes, which is cheaper than making a text. */
const usualKeys = [
  ...['jsonrpc', 'id', 'method', 'params', 'result', 'error', '_meta', 'progressToken', 'progress'],
  ...['name', 'arguments', 'uri', 'content', 'structuredContent', 'isError', 'resultType'],
  ...[metaKeys.version, metaKeys.clientInfo, metaKeys.capabilities],
];
const signatureOf = (length: number, first: number, last: number) => (length << 16) | (first << 8) | last;
const usual: ReadonlyMap<number, { readonly key: string; readonly bytes: Buffer }> = new Map(
  usualKeys.map((key) => {
    const bytes = Buffer.from(key);
    return [signatureOf(bytes.length, bytes[0] ?? 0, bytes.at(-1) ?? 0), { key, bytes }];
  }),
);

/**
 * Reads JSON (RFC 8259) strictly, in one pass and without building values: it knows where things stand
 * and that the whole is sound. What is passed on is then the very bytes that came.
 */
export class Scanner {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #maxDepth: number;
  /** All bytes of all strings or-ed together: below 0x80 the text is ASCII, and UTF-8 needs no check. */
  #high = 0;
  #depth = 0;
  /** True once a line break stood between values; such bytes must not be written as one line. */
  broken = false;
  pos = 0;

  constructor(bytes: Buffer, maxDepth: number) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#maxDepth = maxDepth;
  }

  fail(message: string, kind: ScanError['kind'] = 'syntax'): never {
    throw new ScanError(kind, this.pos, message);
  }

  /** The next byte that is no white space, or -1 at the end. */
  peek(): number {
    const bytes = this.#bytes;
    let pos = this.pos;
    for (; pos < this.#end; pos++) {
      const byte = bytes[pos] ?? 0;
      if (byte === 0x0a || byte === 0x0d) this.broken = true;
      else if (byte !== 0x20 && byte !== 0x09) {
        this.pos = pos;
        return byte;
      }
    }
    this.pos = pos;
    return -1;
  }

  /** Nothing but white space may follow, and all of it must be UTF-8. */
  finish(): void {
    if (this.peek() !== -1) this.fail('Text after the JSON value');
    if (this.#high >= 0x80 && !isUtf8(this.#bytes)) this.fail('Not UTF-8', 'encoding');
  }

  /** Step over one value of any kind and say where it stood. */
  value(): Span {
    const byte = this.peek();
    const start = this.pos;
    if (byte === quote) this.#string();
    else if (byte === 0x7b) this.members(() => this.skip());
    else if (byte === 0x5b) this.elements(() => this.skip());
    else this.#scalar(byte);
    return { start, end: this.pos };
  }

  skip(): void {
    const byte = this.peek();
    if (byte === quote) this.#string();
    else if (byte === 0x7b) this.members(undefined);
    else if (byte === 0x5b) this.elements(undefined);
    else this.#scalar(byte);
  }

  /** Walk through an object; `visit` is called on each key and must step over its value. `start`: where the key begins. */
  members(visit: ((key: string, start: number) => void) | undefined): void {
    this.#enter();
    if (this.peek() === 0x7d) return this.#leave();
    for (;;) {
      if (this.peek() !== quote) this.fail('Expected a key');
      const start = this.pos;
      const escaped = this.#string();
      const key = visit && this.#key(start, escaped);
      if (this.peek() !== 0x3a) this.fail('Expected ":"');
      this.pos++;
      if (visit && key !== undefined) visit(key, start);
      else this.skip();
      if (this.#separator(0x7d)) return this.#leave();
    }
  }

  /** Walk through an array; `visit` must step over one element. */
  elements(visit: (() => void) | undefined): void {
    this.#enter();
    if (this.peek() === 0x5d) return this.#leave();
    for (;;) {
      if (visit) visit();
      else this.skip();
      if (this.#separator(0x5d)) return this.#leave();
    }
  }

  #enter(): void {
    this.pos++;
    if (++this.#depth > this.#maxDepth) this.fail(`Nested deeper than ${this.#maxDepth}`, 'too_deep');
  }

  #leave(): void {
    this.pos++;
    this.#depth--;
  }

  #separator(close: number): boolean {
    const byte = this.peek();
    if (byte === close) return true;
    if (byte !== 0x2c) this.fail('Expected "," or the end of the list');
    this.pos++;
    return false;
  }

  /**
   * A key spelled with escapes is decoded before it is compared: `"\u0069d"` is `id` to the reader behind us,
   * and must be `id` to us, or it would carry a foreign id past the multiplexer.
   */
  #key(start: number, escaped: boolean): string {
    if (escaped) return String(JSON.parse(this.#bytes.toString('utf8', start, this.pos)));
    const [from, to] = [start + 1, this.pos - 1];
    return this.#usualKey(from, to) ?? this.#bytes.toString(this.#high < 0x80 ? 'latin1' : 'utf8', from, to);
  }

  #usualKey(from: number, to: number): string | undefined {
    const bytes = this.#bytes;
    const found = usual.get(signatureOf(to - from, bytes[from] ?? 0, bytes[to - 1] ?? 0));
    if (!found) return undefined;
    for (let at = 1; at < found.bytes.length; at++)
      if (found.bytes[at] !== bytes[from + at]) return undefined;
    return found.key;
  }

  /** Steps over a string; true if it holds an escape. */
  #string(): boolean {
    const bytes = this.#bytes;
    let pos = this.pos + 1;
    let high = this.#high;
    let escaped = false;
    for (;;) {
      const byte = bytes[pos] ?? 0;
      if (plain[byte] === 1) {
        high |= byte;
        pos++;
      } else if (byte === quote) {
        break;
      } else {
        this.pos = pos;
        if (pos >= this.#end || byte !== backslash) this.fail('String without an end');
        pos += this.#escape(pos);
        escaped = true;
      }
    }
    this.#high = high;
    this.pos = pos + 1;
    return escaped;
  }

  #escape(pos: number): number {
    const letter = this.#bytes[pos + 1] ?? 0;
    if (!escapes.has(letter)) this.fail('Unknown escape');
    if (letter !== 0x75) return 2;
    if (!/^[0-9a-fA-F]{4}$/.test(this.#bytes.toString('latin1', pos + 2, pos + 6)))
      this.fail('Unknown escape');
    return 6;
  }

  #scalar(byte: number): void {
    if (byte === 0x74) this.#word('true');
    else if (byte === 0x66) this.#word('false');
    else if (byte === 0x6e) this.#word('null');
    else this.#number();
  }

  #word(word: string): void {
    if (this.#bytes.toString('latin1', this.pos, this.pos + word.length) !== word) this.fail('Unknown word');
    this.pos += word.length;
  }

  #number(): void {
    const bytes = this.#bytes;
    if (bytes[this.pos] === 0x2d) this.pos++;
    if (bytes[this.pos] === 0x30) this.pos++;
    else this.#digits();
    if (bytes[this.pos] === 0x2e) {
      this.pos++;
      this.#digits();
    }
    if (((bytes[this.pos] ?? 0) | 0x20) !== 0x65) return;
    this.pos++;
    const sign = bytes[this.pos];
    if (sign === 0x2b || sign === 0x2d) this.pos++;
    this.#digits();
  }

  #digits(): void {
    const start = this.pos;
    while (((this.#bytes[this.pos] ?? 0) ^ 0x30) < 10) this.pos++;
    if (this.pos === start) this.fail('Expected a value');
  }
}
