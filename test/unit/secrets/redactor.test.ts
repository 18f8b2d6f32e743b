import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formsOf } from '../../../src/secrets/forms.ts';
import { Redactor } from '../../../src/secrets/redactor.ts';
import { Secret } from '../../../src/secrets/secret.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** The environment of a server, with these values in it. */
const environment = (values: readonly string[], isCredential = false) =>
  Object.fromEntries(
    values.map((text, index) => [`NAME_${index}`, new Secret(text, [{ text, isCredential }])]),
  );
function createRedactor(values: readonly string[], isCredential = false): (text: string) => string {
  const redactor = new Redactor(createFakeClock());
  redactor.hold(environment(values, isCredential));
  return redactor.redact;
}

const secret = 'p@ss "word"/\\ü+42';
const redact = createRedactor([secret]);
const mask = '[REDACTED]';

describe('a secret is masked', () => {
  test.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in hex', Buffer.from(secret).toString('hex')],
    ['in upper-case hex', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['in JSON without letters beyond ASCII', 'p@ss \\"word\\"/\\\\\\u00fc+42'],
    ['in JSON with its slashes escaped', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    ['in JSON within JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['in a URL, escapes in small letters', encodeURIComponent(secret).toLowerCase()],
    ['in a form', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['in a path', encodeURIComponent(secret).replaceAll('%2F', '/')],
    ['as Node prints bytes', Buffer.from(secret).toString('hex').match(/../g)!.join(' ')],
    ['as certificates print bytes', Buffer.from(secret).toString('hex').match(/../g)!.join(':')],
    ['backwards', Array.from(secret).reverse().join('')],
  ])('%s', (_what, form) => {
    expect(redact(`before ${form} after ${form}`)).toBe(`before ${mask} after ${mask}`);
  });

  test('wherever it begins in a longer base64 text', () => {
    for (const before of ['', 'u', 'us', 'use', 'user', 'user:']) {
      for (const after of ['', '!', '!!', '!!!']) {
        const text = Buffer.from(`${before}${secret}${after}`).toString('base64');
        const masked = redact(text);
        expect(masked).toContain(mask);
        // At most the letters that the neighbours have a share in are left.
        const left = masked.split(mask).join('');
        expect(Buffer.from(left, 'base64').toString('latin1')).not.toContain('ss "wo');
        expect(left.length).toBeLessThan(Buffer.from(`${before}${after}`).toString('base64').length + 5);
      }
    }
  });

  test('as HTTP Basic says it', () => {
    const header = `Basic ${Buffer.from('user:hunter2hunter2').toString('base64')}`;
    expect(createRedactor(['hunter2hunter2'])(header)).toMatch(/^Basic dXNlcj\S*\[REDACTED\]\S{0,3}$/);
  });

  test('line by line, where it has several', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\r\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    const masked = createRedactor([key])(`[1] -----BEGIN KEY-----\n[2] MIIEvQIBADANBg\n[3] kqhkiG9w0BAQEF\n`);
    expect(masked).toBe(`[1] ${mask}\n[2] ${mask}\n[3] ${mask}\n`);
    expect(createRedactor([key])(`key: ${key.trimEnd()}`)).not.toMatch(/MIIE|kqhk/);
    expect(createRedactor([key])(JSON.stringify({ key }))).toBe(`{"key":"${mask}"}`);
  });

  test('as often as it stands there', () => {
    expect(createRedactor(['abcdef'], true)('abcdefabcdef abcdef')).toBe(`${mask}${mask} ${mask}`);
  });
});

describe('of several secrets', () => {
  test('the longest is masked first, so no tail is left', () => {
    for (const order of [
      ['secret', 'secret-and-more'],
      ['secret-and-more', 'secret'],
    ]) {
      expect(createRedactor(order, true)('secret-and-more secret')).toBe(`${mask} ${mask}`);
    }
  });

  test('that begin alike the longest is masked, whichever came first', () => {
    for (const order of [
      ['token-ab', 'token-abcd'],
      ['token-abcd', 'token-ab'],
    ]) {
      expect(createRedactor(order)('token-abcd token-ab')).toBe(`${mask} ${mask}`);
    }
  });

  test('texts that mean something to a regular expression are texts', () => {
    expect(createRedactor(['.*.*.*', 'a+b(c)[d]'])('abcdefg .*.*.* a+b(c)[d]')).toBe(
      `abcdefg ${mask} ${mask}`,
    );
    expect(createRedactor(['$&$&$&'])('x $&$&$& y')).toBe(`x ${mask} y`);
  });

  test('that overlap, both are masked from end to end', () => {
    expect(createRedactor(['abc-efgh', 'efgh-jkl'])('-abc-efgh-jkl-')).toBe(`-${mask}-`);
    expect(createRedactor(['abc-efgh', 'c-efgh'])('+abc-efgh+c-efgh')).toBe(`+${mask}+${mask}`);
    expect(createRedactor(['aaaaaa'], true)('aaaaaaaaab')).toBe(`${mask}b`);
  });
});

describe('what is looked for', () => {
  const both = 'first-token-1 second-token-2';

  test('is what processes have now, and ten minutes more', () => {
    const clock = createFakeClock();
    const redactor = new Redactor(clock);
    const endOld = redactor.hold(environment(['first-token-1']));
    expect(redactor.redact(both)).toBe(`${mask} second-token-2`);
    const endFresh = redactor.hold(environment(['second-token-2']));
    endOld();
    clock.advance(599_999);
    expect(redactor.redact(both)).toBe(`${mask} ${mask}`);
    clock.advance(1);
    expect(redactor.redact(both)).toBe(`first-token-1 ${mask}`);
    endFresh();
    clock.advance(600_000);
    expect(redactor.redact(both)).toBe(both);
  });

  test('stays as long as one of several processes has it, and an end counts once', () => {
    const clock = createFakeClock();
    const redactor = new Redactor(clock);
    const same = environment(['first-token-1']);
    const [endOne, endTwo] = [redactor.hold(same), redactor.hold(same)];
    endOne();
    endOne();
    clock.advance(3_600_000);
    expect(redactor.redact('first-token-1')).toBe(mask);
    endTwo();
    clock.advance(300_000);
    // Another one starts meanwhile.
    const endThree = redactor.hold(same);
    clock.advance(3_600_000);
    expect(redactor.redact('first-token-1')).toBe(mask);
    endThree();
    clock.advance(600_000);
    expect(redactor.redact('first-token-1')).toBe('first-token-1');
  });

  test('of two tenants with the same secret, goes with the last', () => {
    const clock = createFakeClock();
    const redactor = new Redactor(clock);
    const [endA, endB] = ['a', 'b'].map(() => redactor.hold(environment(['shared-token-1'])));
    endA!();
    clock.advance(600_000);
    expect(redactor.redact('shared-token-1')).toBe(mask);
    endB!();
    clock.advance(600_000);
    expect(redactor.redact('shared-token-1')).toBe('shared-token-1');
  });

  test('of two secrets that begin alike, one stays when the other goes', () => {
    const clock = createFakeClock();
    const redactor = new Redactor(clock);
    const begin = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
    const [endOne] = ['one', 'two'].map((end) => redactor.hold(environment([`${begin}.${end}`])));
    endOne!();
    clock.advance(600_000);
    expect(redactor.redact(`${begin}.one ${begin}.two`)).toBe(`${begin}.one ${mask}`);
  });

  test('is looked for again when a process has it again, long after the last was gone', () => {
    const clock = createFakeClock();
    const redactor = new Redactor(clock);
    const same = environment(['first-token-1']);
    redactor.hold(same)();
    clock.advance(600_000);
    expect(redactor.redact('first-token-1')).toBe('first-token-1');
    redactor.hold(same);
    expect(redactor.redact('first-token-1')).toBe(mask);
  });

  test("is no name of the proxy's own: the id of the tenant, the name of its server", () => {
    const redactor = new Redactor(createFakeClock());
    redactor.hold(environment(['acme-prod', 'tickets-1', 'token-1']), ['acme-prod', 'tickets-1']);
    expect(redactor.redact('acme-prod tickets-1 token-1')).toBe(`acme-prod tickets-1 ${mask}`);
  });

  test('takes no longer with ten thousand secrets than with one', () => {
    const text = 'a line of a log that has nothing in it that anybody would want to hide\n'.repeat(1000);
    const costMs = (count: number): number => {
      const redact = createRedactor(
        Array.from({ length: count }, (_, index) => `token-number-${index}-of-many`),
      );
      let best = Number.POSITIVE_INFINITY;
      for (let runs = 0; runs < 5; runs++) {
        const begin = process.cpuUsage().user;
        expect(redact(text)).toBe(text);
        best = Math.min(best, (process.cpuUsage().user - begin) / 1000);
      }
      return best;
    };
    const one = costMs(1);
    expect(costMs(10_000)).toBeLessThan(Math.max(50, one * 20));
  });
});

describe('what is no secret stays', () => {
  test.each([
    'production',
    'localhost',
    'localhost:5432',
    '127.0.0.1:8080',
    '3600000',
    'v1.25.2',
    '/srv/acme/data',
    './data',
    'https://api.example.com/v1/items',
  ])('%s, unless it is called a credential', (value) => {
    expect(createRedactor([value])(`with ${value} in it`)).toBe(`with ${value} in it`);
    expect(createRedactor([value], true)(`with ${value} in it`)).toBe(`with ${mask} in it`);
  });

  test.each([
    'hunter2',
    'eu-west-1',
    'https://api.example.com/?key=abc',
    'https://u:p@example.com/',
    '12345678',
  ])('%s does not, because it may be one', (value) => {
    expect(createRedactor([value])(`with ${value} in it`)).toBe(`with ${mask} in it`);
  });

  test('short values', () => {
    const text = 'true 8080 12345 acme a';
    expect(createRedactor(['true', '8080', '12345', 'acme', 'a', ''])(text)).toBe(text);
    expect(createRedactor(['a\nb\nlonger-line'])('a b longer-line')).toBe(`a b ${mask}`);
  });

  test('no secrets, nothing to do', () => {
    expect(createRedactor([])('anything at all')).toBe('anything at all');
  });
});

const value = fc
  .string({ minLength: 6, maxLength: 40, unit: 'binary' })
  .filter((text) => !mask.includes(text));

test('no secret of six letters or more is left in any text, in any of its forms', () => {
  fc.assert(
    fc.property(value, fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), (text, before, after) => {
      const redact = createRedactor([text], true);
      for (const form of formsOf(text)) {
        if (form.length < 6) continue;
        const masked = redact(`${before}${form}${after}`);
        // What the mask itself adds cannot be the secret; what is left beside it must not be.
        expect(masked.split(mask).some((left) => left.includes(form))).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

test('what is not part of a secret is left as it was', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), fc.string({ maxLength: 60 }), (values, text) => {
      const forms = values.flatMap((each) => [...formsOf(each)]).filter((form) => form.length >= 6);
      fc.pre(!forms.some((form) => text.includes(form)));
      expect(createRedactor(values, true)(text)).toBe(text);
    }),
  );
});
