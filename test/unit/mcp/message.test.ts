import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MalformedMessage,
  paramsOf,
  readMessage,
  splitBatch,
  stringOf,
  textOf,
} from '../../../src/mcp/message.ts';
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

/** The parts of a message as they are written. */
function partsOf(text: string) {
  const { bytes, resultMembers, ...message } = read(text);
  const spans = Object.entries(message).filter(
    (entry): entry is [string, { start: number; end: number }] => typeof entry[1] === 'object',
  );
  const parts = Object.fromEntries(spans.map(([name, span]) => [name, textOf(bytes, span)]));
  return { parts, members: resultMembers.map(({ key, value }) => [key, textOf(bytes, value)]) };
}

describe('where the parts stand', () => {
  test('in a request', () => {
    const meta = '{"a":1,"io.modelcontextprotocol/protocolVersion":"x","b":2, "progressToken":3}';
    const params = `{"progressToken":"t","requestId":4,"requestState":"s","name":"n","uri":"u","_meta":${meta}}`;
    expect(partsOf(`{"jsonrpc":"2.0","params":${params},"id":1,"method":"m"}`).parts).toEqual({
      ...{ id: '1', params, meta, metaToken: '3', claim: '"x"' },
      ...{ token: '"t"', requestId: '4', state: '"s"', name: '"n"', uri: '"u"' },
    });
  });

  test.each(['null', '5', '[{"progressToken":1}]', '"x"'])('a _meta of %s has none', (meta) => {
    const { parts } = partsOf(`{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":${meta},"name":"n"}}`);
    expect(parts).toMatchObject({ name: '"n"' });
    expect(parts).not.toHaveProperty('meta');
    expect(parts).not.toHaveProperty('metaToken');
  });

  test('what only looks like one elsewhere is none', () => {
    const all =
      '{"progressToken":1,"requestId":1,"requestState":1,"name":1,"uri":1,"_meta":{"progressToken":1}}';
    const message = `{"jsonrpc":"2.0","id":1,"method":"m","metaToken":2,"token":2,"x":${all},"x":1,"params":{"arguments":${all}}}`;
    expect(partsOf(message).parts).toEqual({ id: '1', params: `{"arguments":${all}}` });
    const error = `{"code":1,"code":2,"message":"",${all.slice(1)}`;
    expect(partsOf(`{"jsonrpc":"2.0","id":1,"error":${error}}`).parts).toEqual({ id: '1', error });
  });

  test('in a response, with the members of its result', () => {
    const result = '{"a":{"b":1}, "a":2,"name":"n"}';
    expect(partsOf(`{"jsonrpc":"2.0","id":1,"result":${result}}`)).toEqual({
      parts: { id: '1', result },
      members: [
        ['a', '{"b":1}'],
        ['a', '2'],
        ['name', '"n"'],
      ],
    });
    expect(partsOf('{"jsonrpc":"2.0","id":1,"result":[{"a":1}]}').members).toEqual([]);
    const error = '{"code":1,"message":"","data":{}}';
    expect(partsOf(`{"jsonrpc":"2.0","id":1,"error":${error}}`)).toEqual({
      parts: { id: '1', error },
      members: [],
    });
  });

  test('of a result with very many members, the first of them', () => {
    const result = `{${Array.from({ length: 300 }, (_, nth) => `"k${nth}":${nth}`).join()}}`;
    const { parts, members } = partsOf(`{"jsonrpc":"2.0","id":1,"result":${result}}`);
    expect([parts['result'], members.length, members.at(-1)]).toEqual([result, 256, ['k255', '255']]);
  });
});

test('of params with many members none may stand twice, be it late', () => {
  const some = Array.from({ length: 40 }, (_, nth) => `"k${nth}":${nth}`);
  const withMembers = (members: string[]) => `{"jsonrpc":"2.0","method":"m","params":{${members.join()}}}`;
  expect(codeOf(withMembers(some))).toBe('read');
  for (const twice of [0, 15, 16, 17, 39]) {
    expect(codeOf(withMembers([...some, some[twice]!]))).toBe('PARSE_ERROR');
  }
});

test.each([
  '{"jsonrpc":"2.0","id":true,"result":{}}',
  '{"jsonrpc":"2.0","id":{},"error":{}}',
  '{"jsonrpc":"2.0","id":1,"method":7}',
  '{"jsonrpc":"2.0","id":1,"method":null}',
])('%s is JSON, and no message', (text) => {
  expect(codeOf(text)).toBe('INVALID_REQUEST');
});

test('a response has no method', () => {
  expect(read('{"jsonrpc":"2.0","id":1,"result":{}}').method).toBe('');
});

test('params are read as a record even if they are something else', () => {
  expect(paramsOf(read('{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}'))).toEqual([1]);
  for (const rest of ['', ',"params":null', ',"params":7'])
    expect(paramsOf(read(`{"jsonrpc":"2.0","id":1,"method":"m"${rest}}`))).toEqual({});
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

  test.each(['[{"a":1}', '[{"a":1}] x', '[{"a":1},]'])('that is broken is none: %s', (text) => {
    expect(() => splitBatch(Buffer.from(text))).toThrow(
      expect.objectContaining({ name: 'MalformedMessage', code: 'PARSE_ERROR' }),
    );
  });

  test('may hold as many as it is said', () => {
    expect(splitBatch(Buffer.from('[1,2]'), 2)).toHaveLength(2);
    expect(() => splitBatch(Buffer.from('[1,2,3]'), 2)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });
});

test('a part that is a text can be had as one, and no other', () => {
  const name = (text: string) => {
    const message = read(`{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":${text}}}`);
    return stringOf(message, message.name);
  };
  expect(name('"Größe"')).toBe('Größe');
  expect(name('"a\\n\\u0062\\\\"')).toBe('a\nb\\');
  for (const other of ['1', 'null', '["a"]', '{"a":"b"}']) expect(name(other)).toBeUndefined();
  expect(stringOf(read('{"jsonrpc":"2.0","id":1,"method":"m"}'), undefined)).toBeUndefined();
});
