import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedMessage, paramsOf, readMessage, splitBatch, textOf } from '../../../src/mcp/message.ts';
import { splice } from '../../../src/mcp/splice.ts';

const read = (text: string) => readMessage(Buffer.from(text));
const codeOf = (text: string | Buffer) => {
  try {
    readMessage(Buffer.from(text));
    return 'read';
  } catch (thrown) {
    return thrown instanceof MalformedMessage ? thrown.code : String(thrown);
  }
};

describe('reading a message', () => {
  test('knows requests, notifications and responses', () => {
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject({
      kind: 'request',
      method: 'ping',
    });
    expect(read('{"jsonrpc":"2.0","method":"notifications/initialized"}')).toMatchObject({
      kind: 'notification',
    });
    expect(read('{"jsonrpc":"2.0","id":1,"result":{}}')).toMatchObject({ kind: 'response' });
    expect(read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}').error).toBeDefined();
  });

  test('keeps the exact spelling of ids and tokens', () => {
    for (const id of ['1', '"1"', '-0', '1e400', '12345678901234567890', '"é\\u00e9"', '1.0']) {
      const bytes = Buffer.from(`{"id":${id},"method":"m","jsonrpc":"2.0"}`);
      const message = readMessage(bytes);
      const [out] = splice(bytes, [{ span: message.id!, text: '7' }]);
      const back = readMessage(out!);
      expect(splice(out!, [{ span: back.id!, text: textOf(bytes, message.id!) }])[0]).toEqual(bytes);
    }
  });

  test('a line break between values never reaches the line protocol', () => {
    const { bytes } = read('{\n"jsonrpc":"2.0",\r\n"id":1,"method":"m","params":{"a":"x\\ny"}}');
    expect(bytes.includes(0x0a) || bytes.includes(0x0d)).toBe(false);
    expect(JSON.parse(bytes.toString())).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'm',
      params: { a: 'x\ny' },
    });
  });

  test.each([
    ['{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}', 'PARSE_ERROR'],
    ['{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"m"}', 'PARSE_ERROR'],
    [
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progressToken":1,"\\u0070rogressToken":2}}}',
      'PARSE_ERROR',
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a","n\\u0061me":"b"}}', 'PARSE_ERROR'],
    ['{"jsonrpc":"2.0","id":null,"method":"m"}', 'INVALID_REQUEST'],
    ['{"jsonrpc":"2.0","id":{},"method":"m"}', 'INVALID_REQUEST'],
    ['{"jsonrpc":"1.0","id":1,"method":"m"}', 'INVALID_REQUEST'],
    ['{"jsonrpc":"2.0","id":1,"result":1,"error":{}}', 'INVALID_REQUEST'],
    ['{"jsonrpc":"2.0","id":1}', 'INVALID_REQUEST'],
    ['[]', 'INVALID_REQUEST'],
    [`{"jsonrpc":"2.0","id":1,"method":"m","params":${'['.repeat(64)}${']'.repeat(64)}}`, 'INVALID_REQUEST'],
    ['{"jsonrpc":"2.0","id":01,"method":"m"}', 'PARSE_ERROR'],
    ['{"jsonrpc":"2.0","id":1,"method":"m",}', 'PARSE_ERROR'],
    ['{"jsonrpc":"2.0","id":1,"method":"m"} x', 'PARSE_ERROR'],
    ['{"jsonrpc":"2.0","id":1,"method":"a\nb"}', 'PARSE_ERROR'],
    ['\ufeff{"jsonrpc":"2.0","id":1,"method":"m"}', 'PARSE_ERROR'],
    ['', 'PARSE_ERROR'],
    ['7', 'INVALID_REQUEST'],
    ['/* */{"jsonrpc":"2.0","id":1,"method":"m"}', 'PARSE_ERROR'],
  ])('refuses %s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test('refuses what is not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expect(codeOf(bytes)).toBe('PARSE_ERROR');
  });

  test('accepts exactly what JSON.parse accepts, and finds the same parts', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.oneof(fc.integer(), fc.string()), (params, id) => {
        const text = ` {"jsonrpc": "2.0" ,"params":${params}, "id":${JSON.stringify(id)},"method":"m"}\n`;
        const message = read(text);
        expect(JSON.parse(textOf(message.bytes, message.id!))).toEqual(
          typeof id === 'string' ? JSON.parse(Buffer.from(JSON.stringify(id)).toString('latin1')) : id,
        );
        expect(JSON.parse(message.bytes.toString())).toEqual(JSON.parse(text));
      }),
    );
  });

  test('a mangled text is refused exactly when JSON.parse refuses it', () => {
    const sound = '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":[1,-2.5e+3,true,null,"x\\u00e9"]}}';
    fc.assert(
      fc.property(
        fc.nat(sound.length - 1),
        fc.constantFrom(...'{}[]",:\\0-.e+tfn x'.split('')),
        (at, letter) => {
          const text = sound.slice(0, at) + letter + sound.slice(at + 1);
          let parses = true;
          try {
            JSON.parse(text);
          } catch {
            parses = false;
          }
          if (!parses) expect(codeOf(text)).not.toBe('read');
          else expect(codeOf(text)).not.toBe('PARSE_ERROR');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test('params are read as a record even if they are something else', () => {
  expect(paramsOf(read('{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}'))).toEqual([1]);
  expect(paramsOf(read('{"jsonrpc":"2.0","id":1,"method":"m"}'))).toEqual({});
});

describe('a batch', () => {
  test('is taken apart into its messages', () => {
    const parts = splitBatch(Buffer.from(' [ {"a":1} , {"b":[2]} ] '));
    expect(parts?.map(String)).toEqual(['{"a":1}', '{"b":[2]}']);
    expect(splitBatch(Buffer.from('{"a":1}'))).toBeUndefined();
  });

  test('must not be empty or endless', () => {
    expect(() => splitBatch(Buffer.from('[]'))).toThrow(MalformedMessage);
    expect(() => splitBatch(Buffer.from(`[${Array(101).fill('1').join()}]`))).toThrow(MalformedMessage);
  });
});
