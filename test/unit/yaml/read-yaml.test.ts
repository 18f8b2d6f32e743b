import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../src/config/config.ts';
import { tenantDefinition } from '../../../src/tenants/definition.ts';
import { readYaml } from '../../../src/yaml/read-yaml.ts';

const read = (text: string) => readYaml(text, 'acme.yaml', tenantDefinition);
const problemsOf = (text: string) => {
  const result = read(text);
  return result.ok ? [] : result.problems;
};
/** `line:column CODE`, which is what an editor jumps to. */
const placesOf = (text: string) =>
  problemsOf(text).map(({ line, column, code }) => `${line}:${column} ${code}`);
const messagesOf = (text: string) => problemsOf(text).map(({ message }) => message);
const sound = 'tenant: acme\nserver: { command: node }\n';

describe('where a problem stands', () => {
  test.each([
    ['an unknown key', `${sound}colour: red\n`, '3:1 INVALID_SETTING'],
    ['an unknown key further in', 'tenant: a\nserver:\n  command: x\n  argz: []\n', '4:3 INVALID_SETTING'],
    ['an unknown key in a flow map', 'tenant: a\nserver: { command: x, cmd2: y }\n', '2:23 INVALID_SETTING'],
    ['a wrong type', 'tenant: a\nenabled: no\n', '2:1 INVALID_SETTING'],
    [
      'a wrong type in a list of maps',
      'keys:\n  - name: x\n    sha256: 1\ntenant: a\n',
      '3:5 INVALID_SETTING',
    ],
    ['an item of a list', 'tenant: a\nserver:\n  command: x\n  args: [a, 1]\n', '4:13 INVALID_SETTING'],
    ['a value that is not one of those', `${sound}pool:\n  sharing: none\n`, '4:3 INVALID_SETTING'],
    ['a number too big', `${sound}pool: { max: 1000 }\n`, '3:9 INVALID_SETTING'],
    [
      'a name of a variable',
      'tenant: a\nserver: { command: x, env: { "A B": x } }\n',
      '2:30 INVALID_SETTING',
    ],
    ['a missing key: what it should stand in', `${sound}keys:\n  - name: one\n`, '4:5 INVALID_SETTING'],
    ['a file that is no map', '- a\n', '1:1 INVALID_SETTING'],
    ['a key that stands twice', `${sound}tenant: b\n`, '3:1 YAML_SYNTAX'],
    ['an alias', 'tenant: a\nserver: { command: *x }\n', '2:20 YAML_SYNTAX'],
    ['an anchor', 'tenant: a\nserver: { command: &x y }\n', '2:23 YAML_SYNTAX'],
    ['a tab', 'tenant: a\nserver:\n\tcommand: x\n', '3:1 YAML_SYNTAX'],
    ['a bad indentation', 'tenant: a\nserver:\n  command: x\n args: []\n', '4:1 YAML_SYNTAX'],
    ['an unknown escape', 'tenant: a\nserver: { command: "\\q" }\n', '2:21 YAML_SYNTAX'],
    ['a colon in a plain text', 'tenant: a: b\n', '1:9 YAML_SYNTAX'],
    ['a value that begins with "@"', 'tenant: @a\n', '1:9 YAML_SYNTAX'],
    ['a tag', 'tenant: a\nserver: !mine { command: x }\n', '2:9 YAML_SYNTAX'],
    ['Windows line ends', 'tenant: a\r\nserver:\r\n  command: x\r\n  argz: []\r\n', '4:3 INVALID_SETTING'],
  ])('%s', (_what, text, place) => {
    expect(placesOf(text)).toEqual([place]);
  });

  test('a missing key at the top stands at the top', () => {
    expect(placesOf('server: { command: x }\n')).toEqual(['1:1 INVALID_SETTING']);
    expect(messagesOf('server: { command: x }\n')[0]).toMatch(/^tenant is missing; write the tenant id/);
  });

  test('a sound part has a place too, for what only its owner can find wrong', () => {
    const result = read(
      'tenant: a\nserver:\n  command: x\nkeys:\n  - name: one\n    sha256: ' + 'a'.repeat(64),
    );
    if (!result.ok) throw new Error('The text is sound');
    expect(result.placeOf(['keys', 0, 'sha256'])).toEqual({ line: 6, column: 5 });
    expect(result.placeOf(['server', 'command'])).toEqual({ line: 3, column: 3 });
    // What is not there stands where it would be put.
    expect(result.placeOf(['keys', 7])).toEqual({ line: 4, column: 1 });
  });

  test('every problem names the file and has words', () => {
    for (const problem of problemsOf('tenant: 1\nenabeld: x\nserver: 7\n')) {
      expect(problem).toMatchObject({ file: 'acme.yaml', message: expect.stringMatching(/\w{4}/) as string });
    }
  });

  test('many problems are told at once, but a screenful is enough', () => {
    expect(placesOf('tenant: 1\nenabled: 2\nkeys: 3\nserver: 4\n')).toHaveLength(4);
    const unknown = Array.from({ length: 500 }, (_, index) => `key${index}: 1\n`).join('');
    expect(problemsOf(unknown).length).toBeLessThanOrEqual(50);
    const wrong = Array.from({ length: 500 }, (_, index) => `KEY${index}: 1`).join(', ');
    expect(problemsOf(`tenant: a\nserver: { command: x, env: { ${wrong} } }`).length).toBeLessThanOrEqual(50);
  });
});

describe('the hint', () => {
  test.each([
    ['enabeld: true', 'enabled'],
    ['Enabled: true', 'enabled'],
    ['key: []', 'keys'],
    ['pol: {}', 'pool'],
    ['polcy: {}', 'policy'],
    ['deadlin: {}', 'deadline'],
  ])('%s: was "%s" meant?', (line, meant) => {
    expect(messagesOf(`${sound}${line}\n`)).toEqual([`There is no such key here; write "${meant}"?`]);
  });

  test('where nothing is near, all that may stand there is told', () => {
    const [message] = messagesOf('tenant: a\nserver: { command: x, somethingElse: 1 }\n');
    expect(message).toBe(
      'There is no such key under server; there are: use, command, args, env, cwd, startTimeout, era, maxReply, sandbox, pool',
    );
  });

  test('the place further in is named by its path, but for names that are free', () => {
    const [message] = messagesOf('tenant: a\nservers: { files: { command: x, pool: { maxx: 1 } } }\n');
    expect(message).toBe('There is no such key under servers.….pool; write "max"?');
    expect(messagesOf('tenant: a\nserver: { command: x, args: [1] }\n')).toEqual([
      'server.args[0]: quote it, so that it is text',
    ]);
  });

  test('one slip does not become a second problem about the same place', () => {
    expect(messagesOf('tenat: a\nserver: { command: x }\n')).toContain(
      'There is no such key here; write "tenant"?',
    );
  });
});

describe('what is not read', () => {
  test.each([
    ['an alias', 'x: &a 1\ny: *a\n'],
    ['an anchor that nobody uses', 'tenant: &a acme\nserver: { command: x }\n'],
    ['an anchor of a map', 'tenant: acme\nserver: &s { command: x }\n'],
    ['an anchor of a key', '&k tenant: acme\nserver: { command: x }\n'],
    ['a merge', 'base: &b { command: x }\ntenant: a\nserver:\n  <<: *b\n'],
    ['a tag', 'tenant: !env ACME\nserver: { command: x }\n'],
    ['a tag with a type', 'tenant: acme\nserver: !!js/function "x"\n'],
    ['bytes', 'tenant: !!binary aGVsbG8=\nserver: { command: x }\n'],
    ['a set', 'tenant: acme\nserver: { command: x, env: !!set { A } }\n'],
    ['a directive', '%FOO bar\n---\ntenant: acme\nserver: { command: x }\n'],
    ['two documents', 'tenant: acme\nserver: { command: x }\n---\ntenant: globex\n'],
    ['two documents, the second one empty but for a key', `${sound}--- \nenabled: false\n`],
  ])('%s', (_what, text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });

  test('a merge without an alias is no merge but an unknown key', () => {
    const text = '<<: { tenant: acme }\nserver: { command: x }\n';
    expect(messagesOf(text).join('\n')).toMatch(/There is no such key/);
  });

  test.each([
    ['brackets', `tenant: acme\na: ${'['.repeat(200)}`, '2:104 YAML_SYNTAX'],
    ['lists in lists', `tenant: acme\n\nkeys:\n  ${'- '.repeat(60)}x\n`, '4:3 YAML_SYNTAX'],
  ])('%s without end, with their place', (_what, text, place) => {
    expect(placesOf(text)).toEqual([place]);
  });

  test('a file that grows without end when it is read (a billion laughs)', () => {
    const laughs = Array.from({ length: 20 }, (_, index) =>
      index === 0 ? 'l0: &l0 [x, x]\n' : `l${index}: &l${index} [*l${index - 1}, *l${index - 1}]\n`,
    ).join('');
    expect(placesOf(laughs)).toEqual(['1:9 YAML_SYNTAX']);
  });
});

describe('what is read', () => {
  test.each([
    ['', 'nothing'],
    ['# a comment\n', 'a comment'],
    ['---\n', 'the begin of a document'],
    ['null\n', 'null'],
    ['\uFEFF', 'a byte order mark'],
  ])('%j (%s) is an empty map', (text) => {
    const result = readYaml(text, 'proxy.config.yaml', configSchema);
    expect(result).toMatchObject({ ok: true, value: { listen: { port: 8080 } } });
  });

  test('one document between its marks', () => {
    expect(read(`---\n${sound}...\n`)).toMatchObject({ ok: true, value: { tenant: 'acme' } });
  });

  test('YAML 1.2: `no` and `on` are texts, an octal number is a number with an o', () => {
    expect(read('tenant: no\nserver: { command: on }\n')).toMatchObject({
      value: { tenant: 'no', server: { command: 'on' } },
    });
  });
});

describe('keys that mean something to JavaScript', () => {
  test('do no harm', () => {
    const texts = [
      `__proto__: { polluted: yes }\n${sound}`,
      'tenant: a\nserver: { command: x, env: { __proto__: { polluted: x } } }\n',
      'tenant: a\nservers: { __proto__: { command: x, polluted: y } }\n',
      'tenant: a\nserver: { command: x }\nconstructor: { prototype: { polluted: x } }\n',
      'tenant: a\nserver: { command: x }\npool: { __proto__: { max: 99 } }\n',
      'tenant: a\nserver: { command: x, toString: 1, hasOwnProperty: 2 }\n',
    ];
    for (const text of texts) {
      const result = read(text);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(typeof {}.toString).toBe('function');
      if (!result.ok) continue;
      expect((result.value.pool as Record<string, unknown> | undefined)?.['max']).toBeUndefined();
      expect((result.value as Record<string, unknown>)['polluted']).toBeUndefined();
    }
  });

  test('are unknown keys like others', () => {
    expect(placesOf(`__proto__: 1\n${sound}`)).toEqual(['1:1 INVALID_SETTING']);
    expect(placesOf(`${sound}constructor: 1\n`)).toEqual(['3:1 INVALID_SETTING']);
    expect(messagesOf(`${sound}toString: 1\n`)[0]).toMatch(/there are: tenant, enabled/);
  });
});

describe('no text of the file is ever said', () => {
  const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{15,40}$/);
  /** A token and everything that could be broken around it. */
  const says = (text: string, secret: string) => JSON.stringify(problemsOf(text)).includes(secret);

  const values: Record<string, (secret: string) => string> = {
    'an open quote': (secret) => `tenant: "${secret}\nserver: { command: x }\n`,
    'an open bracket': (secret) => `tenant: a\nserver: { command: ${secret}\n`,
    'a colon': (secret) => `tenant: a: ${secret}\n`,
    'a line without a colon': (secret) => `tenant: a\n${secret}\nserver: { command: x }\n`,
    'a bad indentation': (secret) => `tenant: a\nserver:\n  command: x\n ${secret}: y\n`,
    'an unknown escape': (secret) => `tenant: "\\q${secret}"\n`,
    'an alias': (secret) => `tenant: *${secret}\n`,
    'an anchor': (secret) => `tenant: &${secret} a\n`,
    'a tag': (secret) => `tenant: !${secret} a\n`,
    'a directive': (secret) => `%${secret} a\n---\ntenant: a\n`,
    'a key twice': (secret) => `${secret}: 1\n${secret}: 2\n`,
    'an unknown key': (secret) => `${sound}${secret}: 1\n`,
    'an unknown key with a value': (secret) => `${sound}unknown: ${secret}\n`,
    'an unknown key further in': (secret) => `tenant: a\nserver: { command: x, ${secret}: y }\n`,
    'a text for a truth': (secret) => `${sound}enabled: ${secret}\n`,
    'a text for a map': (secret) => `tenant: a\nserver: ${secret}\n`,
    'a text for a list': (secret) => `tenant: a\nserver: { command: x, args: ${secret} }\n`,
    'a map for a text': (secret) => `tenant: { ${secret}: ${secret} }\nserver: { command: x }\n`,
    'a value that is not one of those': (secret) => `${sound}pool: { sharing: ${secret} }\n`,
    'a text for a duration': (secret) => `${sound}deadline: { call: ${secret} }\n`,
    'a text for a number': (secret) => `${sound}pool: { max: ${secret} }\n`,
    'a text for a size': (secret) => `tenant: a\nserver: { command: x, maxReply: ${secret} }\n`,
    'a key in place of its digest': (secret) => `${sound}keys: [{ name: x, sha256: ${secret} }]\n`,
    'a key in place of an entry': (secret) => `${sound}keys: [${secret}]\n`,
    'a date': (secret) => `${sound}keys: [{ name: x, sha256: ${'a'.repeat(64)}, expires: ${secret} }]\n`,
    'a name of a variable that may not be': (secret) =>
      `tenant: a\nserver: { command: x, env: { "${secret} =": y } }\n`,
    'a name of a server that may not be': (secret) =>
      `tenant: a\nservers: { "A ${secret}": { command: x } }\n`,
    'a name of a server': (secret) => `tenant: a\nservers: { "${secret}": { comand: x } }\n`,
    'a name of a variable with a wrong value': (secret) =>
      `tenant: a\nserver: { command: x, env: { ${secret}: 1 } }\n`,
  };

  test.each(Object.entries(values))('%s', (_what, broken) => {
    fc.assert(
      fc.property(token, (secret) => {
        expect(problemsOf(broken(secret))).not.toEqual([]);
        expect(says(broken(secret), secret)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('whatever stands in the file', () => {
    const piece = fc.oneof(
      token,
      fc.constantFrom(
        ': ',
        '\n',
        '\n  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '&',
        '*',
        '!',
        '%',
        '|',
        '>',
        '#',
      ),
      fc.constantFrom('tenant', 'server', 'keys', 'pool', '? ', ', ', '\t', '\\', '---\n', '@', '`'),
    );
    fc.assert(
      fc.property(token, fc.array(piece, { maxLength: 12 }), fc.nat(), (secret, pieces, at) => {
        const text = [...pieces];
        text.splice(at % (pieces.length + 1), 0, secret);
        expect(says(text.join(''), secret)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file as big as it may be', () => {
  const size = 64 * 1024;
  const filled = (part: (index: number) => string): string => {
    const parts: string[] = [];
    let length = 0;
    for (let index = 0; length < size - 200; index++) {
      const next = part(index);
      length += next.length;
      parts.push(next);
    }
    return parts.join('');
  };
  const server = 'tenant: a\nserver:\n  command: x\n';
  // A stall, not a slow machine, is what this looks for: without bounds some of these take half a minute.
  const limitMs = 3000;
  // Every call of every tenant waits while a file is read. What this process itself needs, at its best of some runs:
  // the machine has other work too.
  const bestTime = (text: string): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let runs = 0; runs < 5 && best >= limitMs; runs++) {
      const begin = performance.now();
      const before = process.cpuUsage();
      read(text);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, performance.now() - begin, (user + system) / 1000);
    }
    return best;
  };

  test.each([
    ['a text', `tenant: ${'x'.repeat(size)}`],
    ['many lines of comment', filled(() => '#\n')],
    ['a key many times', filled(() => 'a: 1\n')],
    ['many unknown keys', filled((index) => `key${index}: 1\n`)],
    ['many variables', `${server}  env:\n${filled((index) => `    KEY_${index}: value\n`)}`],
    ['many wrong variables', `${server}  env:\n${filled((index) => `    KEY_${index}: 1\n`)}`],
    ['many arguments', `${server}  args:\n${filled(() => '    - argument\n')}`],
    ['many broken keys', `${sound}keys: [${filled(() => '{},')}]\n`],
  ])('%s does not hold the proxy', (_what, text) => {
    expect(bestTime(text)).toBeLessThan(limitMs);
  });

  // A parser that calls itself once for each level does not only throw here: V8 ends the process when it compiles
  // a regular expression on a full stack.
  test.each([
    ['[', '['.repeat(size)],
    ['{', '{'.repeat(size)],
    ['- ', '- '.repeat(size / 2)],
    ['? ', '? '.repeat(size / 2)],
    ['[ and ]', '['.repeat(size / 2) + ']'.repeat(size / 2)],
    ['{a: ', '{a: '.repeat(size / 4)],
  ])('many times %j is refused at once', (_what, text) => {
    expect(problemsOf(text)[0]).toMatchObject({ code: 'YAML_SYNTAX' });
    expect(bestTime(text)).toBeLessThan(limitMs);
  });
});
