import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { addToList, EditError, removeFromList } from '../../../src/yaml/edit-list.ts';

const digest = 'ab'.repeat(32);
const item = { name: 'laptop', sha256: digest, created: '2026-01-31' };
const added = (text: string) => addToList(text, 'keys', item);
const removed = (text: string, name: string) => removeFromList(text, 'keys', 'name', name);
const line = `  - { name: laptop, sha256: ${digest}, created: 2026-01-31 }\n`;

describe('adding', () => {
  test('to an empty list: nothing else changes', () => {
    const text = [
      '# The tenant "acme".',
      '# Two lines of it.',
      'tenant: acme',
      'enabled: true',
      '',
      '# Keys are written here.',
      'KEYS',
      '',
      '# The server.',
      'server:',
      '  command: node',
      '  args: [ "a.js", \'b\', c ] # what it is told',
      '  env:',
      '    # a secret',
      '    TOKEN: "${TOKEN:none}"',
      "    QUOTED: 'it''s'",
      '',
      'pool: { max: 2, idle: 5m }',
      '',
    ].join('\n');
    expect(added(text.replace('KEYS', 'keys: []'))).toBe(text.replace('KEYS', `keys:\n${line}`.trimEnd()));
  });

  test('where there is no list: at the end', () => {
    expect(added('tenant: acme\n\nserver: { command: node }\n')).toBe(
      `tenant: acme\n\nserver: { command: node }\nkeys:\n${line}`,
    );
    expect(added('tenant: acme\nkeys:\nserver: { command: node }\n')).toBe(
      `tenant: acme\nkeys:\n${line}server: { command: node }\n`,
    );
    expect(added('')).toBe(`keys:\n${line}`);
    expect(added('# nothing yet\n')).toBe(`# nothing yet\nkeys:\n${line}`);
    expect(added('tenant: acme # no newline')).toBe(`tenant: acme # no newline\nkeys:\n${line}`);
  });

  test('to a block list: at its end, comments between the items stay where they are', () => {
    const text = [
      'keys:',
      '  # of Ada',
      '  - { name: ada, sha256: aa }',
      '',
      '  # of Grace, until spring',
      '  - name: grace',
      '    sha256: bb # the new one',
      '',
      '# the server',
      'server: { command: node }',
      '',
    ];
    expect(added(text.join('\n'))).toBe([...text.slice(0, 7), line.trimEnd(), ...text.slice(7)].join('\n'));
  });

  test('to a block list that is not indented', () => {
    const text = 'tenant: acme\nkeys:\n- name: ada\n  sha256: aa\nserver:\n  args:\n  - one\n  - two\n';
    expect(parse(added(text))).toEqual({
      ...(parse(text) as object),
      keys: [{ name: 'ada', sha256: 'aa' }, item],
    });
    expect(added('keys:\n- name: ada\n  sha256: aa\ntenant: acme\n')).toBe(
      `keys:\n- name: ada\n  sha256: aa\n${line.slice(2)}tenant: acme\n`,
    );
  });

  test('to a flow list', () => {
    expect(added('keys: [ { name: ada, sha256: aa } ]\ntenant: acme\n')).toBe(
      `keys: [ { name: ada, sha256: aa }, ${line.slice(4).trimEnd()} ]\ntenant: acme\n`,
    );
  });

  test('long lines stay long, numbers stay written as they were', () => {
    const text = `tenant: acme\nlong: "${'word '.repeat(60)}"\nnumber: 1.50\nbig: 1_000\nblock: |\n  a\n    b\nkeys: []\n`;
    expect(added(text)).toBe(text.replace('keys: []\n', `keys:\n${line}`));
  });

  test('a text that means something to YAML is quoted', () => {
    for (const name of ['yes: no', '#1', '- x', '*', '{', "it's", '12', 'true', ' ']) {
      expect(parse(addToList('keys: []\n', 'keys', { name }))).toEqual({ keys: [{ name }] });
    }
  });

  test('a file with Windows line ends still says the same, with one kind of line ends', () => {
    const text = 'tenant: acme\r\nkeys:\r\n  - { name: ada, sha256: aa }\r\nserver:\r\n  command: x\r\n';
    const changed = added(text);
    expect(parse(changed)).toEqual({
      ...(parse(text) as object),
      keys: [{ name: 'ada', sha256: 'aa' }, item],
    });
    const ends = new Set(changed.match(/\r?\n/g));
    expect(ends.size).toBe(1);
  });
});

describe('removing', () => {
  const text = [
    '# all keys',
    'keys:',
    '  - { name: ada, sha256: aa }',
    '  # of Grace',
    '  - name: grace',
    '    sha256: bb',
    '  - { name: alan, sha256: cc } # the last',
    '',
    '# the server',
    'server: { command: node }',
    '',
  ];
  const without = (from: number, to: number) => [...text.slice(0, from), ...text.slice(to)].join('\n');

  test('takes out the one and leaves the rest', () => {
    expect(removed(text.join('\n'), 'ada')).toBe(without(2, 3));
    expect(removed(text.join('\n'), 'grace')).toBe(without(3, 6));
    expect(removed(text.join('\n'), 'alan')).toBe(without(6, 7));
  });

  test('the last one leaves an empty list that can be added to again', () => {
    const one = `tenant: acme\nkeys:\n${line}\n# the server\nserver: { command: node }\n`;
    const none = removed(one, 'laptop') ?? '';
    expect(none).toBe('tenant: acme\nkeys: []\n\n# the server\nserver: { command: node }\n');
    expect(added(none)).toBe(one);
  });

  test('the last one of a list with a comment leaves a file that can be read', () => {
    const none =
      removed('keys:\n  # of Ada\n  - { name: ada, sha256: aa } # old\ntenant: acme\n', 'ada') ?? '';
    expect(parse(none)).toEqual({ keys: [], tenant: 'acme' });
    expect(parse(added(none))).toEqual({ keys: [item], tenant: 'acme' });
  });

  test('from a flow list', () => {
    const flow = 'keys: [ { name: ada, sha256: aa }, { name: alan, sha256: cc } ]\n';
    expect(removed(flow, 'ada')).toBe('keys: [ { name: alan, sha256: cc } ]\n');
    expect(removed('keys: [ { name: ada, sha256: aa } ]\n', 'ada')).toBe('keys: []\n');
  });

  test('undefined where there is none of that name, so nothing need be written', () => {
    expect(removed(text.join('\n'), 'nobody')).toBeUndefined();
    expect(removed('keys: []\n', 'ada')).toBeUndefined();
    expect(removed('keys: text\n', 'ada')).toBeUndefined();
    expect(removed('', 'ada')).toBeUndefined();
  });
});

describe('what cannot be edited', () => {
  test.each([
    ['is not YAML', 's3cr3t: [\n'],
    ['has a key twice', 'keys: []\nkeys: []\n'],
    ['has something else in that place', 'keys: s3cr3t\n'],
    ['has a map in that place', 'keys: { s3cr3t: b }\n'],
    ['is a list', '- s3cr3t\n'],
    ['is a text', 's3cr3t\n'],
  ])('a file that %s is refused, and nothing of it quoted', (_what, text) => {
    expect(() => added(text)).toThrow(EditError);
    expect(() => added(text)).not.toThrow(/s3cr3t/);
  });

  test('of several documents none is lost', () => {
    const text = 'keys:\n  - { name: ada, sha256: aa }\n---\ntenant: globex\n';
    // Refused, or kept: but never silently thrown away.
    const outcome = (edit: () => string | undefined): string => {
      try {
        return edit() ?? text;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(EditError);
        return text;
      }
    };
    expect(outcome(() => added(text))).toContain('globex');
    expect(outcome(() => removed(text, 'ada'))).toContain('globex');
  });
});

test('adding and then removing gives the same file again, whatever keys there are', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/).filter((text) => text !== 'laptop');
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (names) => {
      const items = names.map((each, index) => `  # number ${index}\n  - { name: "${each}", sha256: aa }\n`);
      const text = `# top\n\ntenant: acme\nkeys:\n${items.join('')}\nserver: { command: node }\n`;
      expect(removed(added(text), 'laptop')).toBe(text);
    }),
    { numRuns: 50 },
  );
});
