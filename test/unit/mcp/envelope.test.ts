import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createEnvelopeReader,
  type Envelope,
  envelopeOff,
  envelopeOn,
  envelopeText,
  readEnvelope,
} from '../../../src/mcp/envelope.ts';
import { byteText, membersOf } from '../../../src/mcp/members.ts';
import { type Message, readMessage } from '../../../src/mcp/message.ts';
import { type Edit, splice } from '../../../src/mcp/splice.ts';
import { jsonText, padded, plainKey } from './some-json.ts';

const prefix = 'io.modelcontextprotocol/';
const version = `${prefix}protocolVersion`;
const capabilities = `${prefix}clientCapabilities`;
const clientInfo = `${prefix}clientInfo`;
const logLevel = `${prefix}logLevel`;

const request = (params: string) =>
  readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call"${params}}`), 256);
const withParams = (params: string) => request(`,"params":${params}`);
const edited = ({ bytes }: Message, edits: readonly Edit[]) =>
  readMessage(Buffer.concat(splice(bytes, edits)), 256);
const paramsIn = ({ bytes, params }: Message) => params && bytes.toString('utf8', params.start, params.end);
const envelope = envelopeText({
  version: '2026-07-28',
  clientInfo: { name: 'Größe' },
  capabilities: { elicitation: {} },
  logLevel: 'info',
});
const on = (message: Message, further = '') => edited(message, envelopeOn(message, envelope, further));
const off = (message: Message) => edited(message, envelopeOff(message));

describe('the envelope of a request', () => {
  const read = (meta: object) => readEnvelope(withParams(JSON.stringify({ _meta: meta })));
  const good = { [version]: '2026-07-28', [capabilities]: { sampling: {} } };

  test('says what the client is', () => {
    const info = { name: 'Größe', version: '1' };
    expect(read({ ...good, [clientInfo]: info })).toEqual({
      version: '2026-07-28',
      capabilities: { sampling: {} },
      clientInfo: info,
      logLevel: undefined,
    } satisfies Envelope);
    expect(read(good)).toMatchObject({ clientInfo: undefined });
  });

  test.each(['debug', 'emergency'])('asks for log messages from %s on', (level) => {
    expect(read({ ...good, [logLevel]: level })).toMatchObject({ logLevel: level });
  });

  test.each(['loud', '', 7, null, ['debug']])('with a log level that is none (%j) will not do', (level) => {
    expect(read({ ...good, [logLevel]: level })).toContain(logLevel);
  });

  test.each([
    [{}, version],
    [{ [capabilities]: {} }, version],
    [{ ...good, [version]: 7 }, version],
    [{ ...good, [version]: null }, version],
    [{ [version]: '2026-07-28' }, capabilities],
    [{ ...good, [capabilities]: null }, capabilities],
    [{ ...good, [capabilities]: [] }, capabilities],
    [{ ...good, [capabilities]: 'elicitation' }, capabilities],
  ])('%j: it is said what is missing', (meta, name) => {
    expect(read(meta)).toContain(name);
  });

  test('without clientInfo is good; the client need not say what it is called', () => {
    expect(read(good)).not.toBeTypeOf('string');
  });

  test.each([
    '',
    ',"params":{}',
    ',"params":null',
    ',"params":[]',
    ',"params":{"_meta":null}',
    ',"params":{"_meta":[]}',
  ])('is missing in %s', (params) => {
    expect(readEnvelope(request(params))).toContain('_meta');
  });
});

describe('a reader of envelopes', () => {
  const good = { [version]: '2026-07-28', [capabilities]: { sampling: {} } };
  const saying = (meta: object) => withParams(JSON.stringify({ _meta: meta }));

  test('says of each what reading it alone says, first and again', () => {
    const read = createEnvelopeReader();
    const all = [good, { ...good, [logLevel]: 'info' }, { [version]: '2026-07-28' }, {}];
    for (const meta of [...all, ...all]) expect(read(saying(meta))).toEqual(readEnvelope(saying(meta)));
    expect(read(request(''))).toContain('_meta');
  });

  test('gives the same objects for the same words, and others for others', () => {
    const read = createEnvelopeReader();
    expect(read(saying(good))).toBe(read(saying(good)));
    expect(read(saying({ ...good, progressToken: 1 }))).not.toBe(read(saying(good)));
  });

  test('keeps no more than some, and no large ones', () => {
    const read = createEnvelopeReader();
    const first = read(saying(good));
    const large = saying({ ...good, 'x/y': 'x'.repeat(3000) });
    expect(read(large)).toEqual(first);
    expect(read(large)).not.toBe(read(large));
    for (let at = 0; at < 255; at++) read(saying({ ...good, progressToken: at }));
    expect(read(saying(good))).toBe(first);
    read(saying({ ...good, progressToken: 255 }));
    expect(read(saying(good))).toEqual(first);
    expect(read(saying(good))).not.toBe(first);
  });
});

describe('an envelope that is put on', () => {
  const meta = `"_meta":{${envelope}}`;

  test.each([
    ['', `,"params":{${meta}}`],
    [',"params":null', `,"params":{${meta}}`],
    [',"params":{}', `,"params":{${meta}}`],
    [',"params":{ "a":1}', `,"params":{${meta}, "a":1}`],
    [',"params":{"_meta":{},"a":1}', `,"params":{${meta},"a":1}`],
    [',"params":{"_meta": {"x/y":-0} }', `,"params":{"_meta": {${envelope},"x/y":-0} }`],
  ])('a request with %s makes it %s', (from, to) => {
    expect(on(request(from)).bytes.toString()).toBe(`{"jsonrpc":"2.0","id":1,"method":"tools/call"${to}}`);
  });

  test.each(['null', '7', '"text"', '[{}]'])(
    'takes the place of a _meta that is none (%s): it stands there once',
    (none) => {
      const { bytes, params } = on(withParams(`{"a":1,"_meta":${none}}`));
      expect(membersOf(bytes, params!).map(({ key }) => key)).toEqual(['_meta', 'a']);
    },
  );

  test('takes the place of what a client wrote there: it cannot speak for itself', () => {
    const claims = `"\\u0069o.modelcontextprotocol/clientCapabilities":{"roots":{}},"${clientInfo}":{},"${logLevel}":"debug"`;
    const got = on(withParams(`{"_meta":{${claims},"x/y":1,"${version}":"1999-01-01",${claims}}}`));
    expect(paramsIn(got)).toBe(`{"_meta":{${envelope},"x/y":1}}`);
    expect(readEnvelope(got)).toEqual({
      version: '2026-07-28',
      capabilities: { elicitation: {} },
      clientInfo: { name: 'Größe' },
      logLevel: 'info',
    });
  });

  test('brings along what else is to be said, and nothing old of that kind', () => {
    const further = '"inputResponses":{"é":1e400},"requestState":"s"';
    const old = '"requestState":"old","inputResponses":{},"a":1';
    expect(paramsIn(on(withParams(`{${old}}`), further))).toBe(`{${further},"_meta":{${envelope}},"a":1}`);
    expect(paramsIn(on(withParams(`{"_meta":{"k":1},${old}}`), further))).toBe(
      `{${further},"_meta":{${envelope},"k":1},"a":1}`,
    );
    expect(paramsIn(on(request(''), further))).toBe(`{${further},"_meta":{${envelope}}}`);
  });

  test.each(['[1]', '7', '"text"'])(
    'is not put on params that are none (%s): the server refuses those',
    (params) => {
      expect(paramsIn(on(withParams(params)))).toBe(params);
    },
  );
});

describe('an envelope that is taken off', () => {
  test.each([
    [`{"a":1,"_meta":{${envelope}}}`, '{"a":1}'],
    [`{"_meta":{${envelope}},"a":1}`, '{"a":1}'],
    [`{"_meta":{${envelope}}}`, '{}'],
    [`{"_meta":{"progressToken":1,${envelope},"x/y":-0}}`, '{"_meta":{"progressToken":1,"x/y":-0}}'],
    [`{"requestState":"s","a":1,"inputResponses":{},"_meta":{${envelope}}}`, '{"a":1}'],
    ['{"arguments":{"_meta":{},"requestState":1}}', '{"arguments":{"_meta":{},"requestState":1}}'],
  ])('%s becomes %s', (from, to) => {
    expect(paramsIn(off(withParams(from)))).toBe(to);
  });

  test('of a request without params leaves it alone', () => {
    expect(envelopeOff(request(''))).toEqual([]);
  });
});

/** Members of `params` and of its `_meta`, as the client wrote them: none of those that are the proxy's. */
const taken = new Set([
  version,
  capabilities,
  clientInfo,
  logLevel,
  `${prefix}subscriptionId`,
  'progressToken',
]);
const own = (gap: string, [key, value]: readonly [string, string]) =>
  `${JSON.stringify(key)}${gap}:${gap}${value}`;
const someMembers = (minLength: number, reserved: ReadonlySet<string>) =>
  fc
    .uniqueArray(fc.tuple(plainKey, jsonText), { selector: ([key]) => key, maxLength: 6, minLength })
    .map((members) => members.filter(([key]) => !reserved.has(key)));
const somePlain = someMembers(
  0,
  new Set(['_meta', 'requestState', 'inputResponses', 'progressToken', 'requestId']),
);

describe('whatever a client sends', () => {
  test('is after an envelope was put on and taken off again what it was, to the byte', () => {
    fc.assert(
      fc.property(somePlain, someMembers(1, taken), padded, fc.nat(6), (members, meta, gap, at) => {
        fc.pre(meta.length > 0);
        const texts = members.map((member) => own(gap, member));
        texts.splice(at, 0, `"_meta":{${meta.map((member) => own(gap, member)).join()}}`);
        const message = withParams(`{${texts.join()}}`);
        expect(off(on(message)).bytes.toString()).toBe(message.bytes.toString());
      }),
      { numRuns: 300 },
    );
  });

  test('without a _meta of its own it is so too', () => {
    fc.assert(
      fc.property(somePlain, padded, (members, gap) => {
        const message = withParams(`{${members.map((member) => own(gap, member)).join()}}`);
        expect(off(on(message)).bytes.toString()).toBe(message.bytes.toString());
      }),
    );
  });

  test('has its own members to the byte while the envelope is on', () => {
    fc.assert(
      fc.property(somePlain, padded, (members, gap) => {
        const texts = members.map((member) => own(gap, member));
        expect(paramsIn(on(withParams(`{${texts.join()}}`)))).toBe(
          `{"_meta":{${envelope}}${texts.map((text) => `,${text}`).join('')}}`,
        );
      }),
    );
  });
});

test('what the proxy tells a server of a client is JSON, and no level is said where none is wanted', () => {
  const parsed = (level: string | undefined) =>
    JSON.parse(
      `{${envelopeText({ version: 'v', clientInfo: { name: '"é' }, capabilities: {}, logLevel: level })}}`,
    ) as object;
  expect(parsed('debug')).toEqual({
    [version]: 'v',
    [clientInfo]: { name: '"é' },
    [capabilities]: {},
    [logLevel]: 'debug',
  });
  expect(parsed(undefined)).not.toHaveProperty(logLevel);
});

test('a notification of a hostile server has the subscription that is ours, once', () => {
  const id = `${prefix}subscriptionId`;
  const message = withParams(`{"_meta":{"${id}":666,"x/y":1}}`);
  expect(paramsIn(edited(message, envelopeOn(message, `"${id}":1`)))).toBe(`{"_meta":{"${id}":1,"x/y":1}}`);
  expect(byteText(envelope)).not.toBe(envelope);
});
