import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes, ProxyError } from '../../../src/calls/error.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

describe('the list of codes', () => {
  test('each has a number of its own', () => {
    const numbers = codes.map((code) => errorCodes[code].rpc);
    expect(new Set(numbers).size).toBe(codes.length);
  });

  test('own numbers stay out of what JSON-RPC and MCP keep for themselves', () => {
    // What JSON-RPC and revision 2026-07-28 define, and only that.
    const standard: readonly number[] = [-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022];
    for (const code of codes) {
      const { rpc } = errorCodes[code];
      if (!standard.includes(rpc)) expect(rpc < -32768 || rpc > -32000).toBe(true);
    }
  });

  test('what may have run is never said to be safe to repeat', () => {
    for (const code of codes) {
      const { executed, retryable } = errorCodes[code];
      if (retryable) expect(executed).toBe('no');
    }
  });
});

describe('an error', () => {
  test('takes from the table whether the tool may have run', () => {
    for (const code of codes) expect(new ProxyError(code, '').executed).toBe(errorCodes[code].executed);
  });

  test('unless it is known better', () => {
    expect(new ProxyError('CRASHED', '', { executed: 'no' }).executed).toBe('no');
  });

  test('says what it is about, and when to come back', () => {
    const cause = new Error('why');
    expect(new ProxyError('OVERLOADED', 'Full', { retryAfterMs: 5, cause })).toMatchObject({
      code: 'OVERLOADED',
      message: 'Full',
      retryAfterMs: 5,
      cause,
    });
    expect(new ProxyError('OVERLOADED', 'Full')).not.toHaveProperty('cause');
  });
});

describe('anything thrown', () => {
  test('that is one of ours stays what it is', () => {
    const error = new ProxyError('NOT_FOUND', '');
    expect(ProxyError.from(error)).toBe(error);
  });

  test.each([[new Error('s3cret')], ['s3cret'], [undefined], [null]])(
    'that is a stranger is INTERNAL_ERROR, and its text stays inside',
    (thrown) => {
      const error = ProxyError.from(thrown);
      expect(error).toMatchObject({ code: 'INTERNAL_ERROR', executed: 'unknown' });
      expect(error.message).not.toContain('s3cret');
      expect(error.cause).toBe(thrown);
    },
  );
});

test('one error for many calls becomes one for each', () => {
  const crash = new ProxyError('CRASHED', 'The server process ended', { retryAfterMs: 5 });
  const [one, other] = [crash.withRequestId('r1'), crash.withRequestId('r2')];
  expect([one.requestId, other.requestId]).toEqual(['r1', 'r2']);
  expect(other).toMatchObject({
    code: 'CRASHED',
    message: crash.message,
    executed: 'unknown',
    retryAfterMs: 5,
  });
});
