import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Ended, History } from './history.ts';

/** A witness that finds nothing must be able to find something. */
let history: History;
beforeEach(async () => {
  history = await History.open();
});
afterEach(() => history.close());

const answered = (nonce: string, own: Partial<Ended> = {}): Ended => ({
  tenant: 'acme',
  nonce,
  outcome: 'ok',
  executed: 'yes',
  text: `canary-of-acme ${nonce}`,
  answers: 1,
  ...own,
});
const executed = (nonce: string, canary = 'canary-of-acme') =>
  history.executions.push({ nonce, canary, pid: 1 });

test('what servers tell is heard', async () => {
  const server = connect(history.port, '127.0.0.1');
  server.write(`${JSON.stringify({ nonce: 'nonce-1', canary: 'canary-of-acme', pid: 7 })}\n`);
  await eventually(() => history.executions.length === 1);
  server.destroy();
  history.ended.push(answered('nonce-1'));
  expect(history.violations()).toEqual([]);
});

test.each<[string, Partial<Ended>, number, string]>([
  ["another tenant's canary", { text: 'canary-of-globex nonce-1' }, 1, 'told of canary-of-globex'],
  ["another call's nonce", { text: 'canary-of-acme nonce-1 nonce-2' }, 1, 'told of nonce-2'],
  ['an answer without its nonce', { text: 'canary-of-acme' }, 1, 'an answer that is not its own'],
  ['two answers', { answers: 2 }, 1, '2 answers'],
  ['no answer', { answers: 0, outcome: 'nothing', text: '' }, 1, '0 answers'],
  ['a second execution', {}, 2, 'executed 2 times'],
  ['an answer without an execution', {}, 0, 'answered and not executed'],
  [
    'an execution that is denied',
    { outcome: 'TENANT_BUSY', executed: 'no', text: '' },
    1,
    'said to be not executed, and was',
  ],
])('%s is found', (_name, own, executions, what) => {
  history.ended.push(answered('nonce-1', own));
  for (let nth = 0; nth < executions; nth++) executed('nonce-1');
  expect(history.violations()).toEqual([expect.stringContaining(what)]);
});

test("an execution in another tenant's process is found", () => {
  history.ended.push(answered('nonce-1'));
  executed('nonce-1', 'canary-of-globex');
  expect(history.violations()).toEqual([expect.stringContaining('executed by another tenant')]);
});

test('who left is owed no answer', () => {
  history.ended.push(answered('nonce-1', { outcome: 'left', executed: 'unknown', text: '', answers: 0 }));
  expect(history.violations()).toEqual([]);
});
