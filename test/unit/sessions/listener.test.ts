import { describe, expect, test } from 'vitest';
import type { ListenFilter } from '../../../src/mcp/listen-filter.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { Listener } from '../../../src/sessions/listener.ts';
import { acme } from '../calls/some-call.ts';

const subscription = 'io.modelcontextprotocol/subscriptionId';
const all: ListenFilter = { tools: true, prompts: true, resources: true, uris: ['test://a', 'test://é'] };
const nothing: ListenFilter = { tools: false, prompts: false, resources: false, uris: [] };

function listening(filter: Partial<ListenFilter> = all, id = '1') {
  const heard: string[] = [];
  const listener = new Listener({
    tenantId: acme,
    keyName: 'laptop',
    server: 'default',
    capabilities: {},
    idText: Buffer.from(id).toString('latin1'),
    filter: { ...nothing, ...filter },
    identity: '{"name":"Größe"}',
    write: (message) => {
      heard.push(Buffer.concat(message).toString());
      return true;
    },
  });
  const hear = (text: string) => listener.hear(readMessage(Buffer.from(text)));
  return { listener, heard, hear };
}
const changed = (list: string, params = '') =>
  `{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"${params}}`;
const updated = (uri: string) =>
  `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":${JSON.stringify(uri)}}}`;

test('the acknowledgement says what will be heard, and of nothing else', () => {
  const { listener, heard } = listening({ tools: true, uris: ['test://é'] });
  listener.acknowledge();
  expect(heard.map((text) => JSON.parse(text) as unknown)).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        _meta: { [subscription]: 1 },
        notifications: { toolsListChanged: true, resourceSubscriptions: ['test://é'] },
      },
    },
  ]);
});

test('nothing at all can be heard too', () => {
  const { listener, heard } = listening({});
  listener.acknowledge();
  expect(JSON.parse(heard[0]!)).toMatchObject({ params: { notifications: {} } });
});

describe('of what the server says', () => {
  test.each([
    ['tools', { tools: true }],
    ['prompts', { prompts: true }],
    ['resources', { resources: true }],
  ])('changes of its %s are heard by who wants to', (list, filter) => {
    const { hear, heard } = listening(filter);
    for (const name of ['tools', 'prompts', 'resources']) hear(changed(name));
    hear(updated('test://a'));
    expect(heard).toEqual([changed(list, `,"params":{"_meta":{"${subscription}":1}}`)]);
  });

  test('changes of a resource and its parts are heard by who asked for that one', () => {
    const { hear, heard } = listening({ uris: ['test://é'] });
    for (const uri of ['test://a', 'test://é', 'test://éé', 'test://é/b']) hear(updated(uri));
    expect(heard.map((text) => (JSON.parse(text) as { params: { uri: string } }).params.uri)).toEqual([
      'test://é',
      'test://é/b',
    ]);
  });

  test.each([
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"x"}}',
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
    '{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged"}',
    '{"jsonrpc":"2.0","method":"notifications/made/up/list_changed"}',
    '{"jsonrpc":"2.0","method":"notifications/resources/updated"}',
  ])('%s is heard by nobody', (text) => {
    const { hear, heard } = listening();
    hear(text);
    expect(heard).toEqual([]);
  });
});

describe('the id of the request', () => {
  test.each(['1', '"1"', '"é 😀"', '12345678901234567890', '-0'])(
    '%s stands on every message as it was written',
    (id) => {
      const { listener, hear, heard } = listening(all, id);
      listener.acknowledge();
      hear(changed('tools'));
      hear(changed('tools', ',"params":{"_meta":{"x/y":1e400}}'));
      hear(updated('test://a'));
      listener.sayGoodbye();
      expect(heard).toHaveLength(5);
      for (const text of heard) expect(text).toContain(`"${subscription}":${id}`);
    },
  );

  test('cannot be another because the server says so', () => {
    const { hear, heard } = listening();
    hear(changed('tools', `,"params":{"_meta":{"${subscription}":666,"x/y":1e400}}`));
    expect(heard).toEqual([changed('tools', `,"params":{"_meta":{"${subscription}":1,"x/y":1e400}}`)]);
  });
});

test('the last word is the answer to the request', () => {
  const { listener, heard } = listening(all, '"é"');
  listener.sayGoodbye();
  expect(JSON.parse(heard[0]!)).toEqual({
    jsonrpc: '2.0',
    id: 'é',
    result: {
      resultType: 'complete',
      _meta: { [subscription]: 'é', 'io.modelcontextprotocol/serverInfo': { name: 'Größe' } },
    },
  });
});
