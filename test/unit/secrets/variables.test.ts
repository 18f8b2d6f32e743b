import { expect, test } from 'vitest';
import { resolveVariables } from '../../../src/secrets/variables.ts';

const variables: Record<string, string> = {
  TOKEN: 's3cr3t',
  EMPTY: '',
  NESTED: '${TOKEN}',
  DOLLARS: "$& $1 $' $$",
  _a1: 'x',
};
const resolve = (text: string) => resolveVariables(text, (name) => variables[name]);

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['${TOKEN}', 's3cr3t'],
  ['Bearer ${TOKEN}!', 'Bearer s3cr3t!'],
  ['${TOKEN}${_a1}${TOKEN}', 's3cr3txs3cr3t'],
  ['${TOKEN:other}', 's3cr3t'],
  ['${NONE:other}', 'other'],
  ['${NONE:}', ''],
  ['${NONE:http://host:80/a?b=c}', 'http://host:80/a?b=c'],
  ['${NONE:a\nb}', 'a\nb'],
  // A variable that is set to nothing is set.
  ['${EMPTY:other}', ''],
  ['${EMPTY}', ''],
  ['$${TOKEN}', '${TOKEN}'],
  ['$$${TOKEN}', '$${TOKEN}'],
  ['$TOKEN $ $$ {TOKEN}', '$TOKEN $ $$ {TOKEN}'],
  ['a}b', 'a}b'],
])('%j is %j', (text, value) => {
  expect(resolve(text)).toEqual({ ok: true, value });
});

test('what comes out of a variable is not looked at again', () => {
  expect(resolve('${NESTED}')).toEqual({ ok: true, value: '${TOKEN}' });
  expect(resolve('${DOLLARS}')).toEqual({ ok: true, value: "$& $1 $' $$" });
});

test('every variable that is not set is named, once', () => {
  expect(resolve('${ONE} ${TWO} ${TOKEN} ${ONE} ${THREE:3}')).toEqual({ ok: false, names: ['ONE', 'TWO'] });
});

test.each(['${', '${}', '${1A}', '${A B}', '${TOKEN', '${A-B}', '${:x}', '${NONE} ${'])(
  '%j is a slip of the pen, not a text',
  (text) => {
    expect(resolve(text)).toEqual({ ok: false, names: [] });
  },
);

test("names of JavaScript's own are names like others", () => {
  const own = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined);
  expect(resolveVariables('${constructor} ${__proto__}', own)).toEqual({
    ok: false,
    names: ['constructor', '__proto__'],
  });
});
