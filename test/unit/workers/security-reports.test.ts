import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hearReports, type SecurityReport } from '../../../src/workers/security-reports.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const clock = createFakeClock();

/** What is heard of a stderr that says `chunks`, one after the other. */
function heard(chunks: readonly (string | Buffer)[], at = createFakeClock()): SecurityReport[] {
  const reports: SecurityReport[] = [];
  const stream = new PassThrough();
  hearReports(stream, at, (report) => reports.push(report));
  for (const chunk of chunks) stream.emit('data', Buffer.from(chunk));
  return reports;
}

const line = (fields: object) => `mcp-security-event: ${JSON.stringify(fields)}\n`;
const forbidden = {
  code: 'FORBIDDEN',
  message: 'The URI names another tenant',
  subject: 'mcp://tenant_002/x',
};

test('a report is heard among other lines, whatever pieces it comes in', () => {
  const text = `starting up\n${line(forbidden)}\n${line({ ...forbidden, code: 'OTHER' })}the end`;
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
      expect(heard(pieces)).toEqual([
        { ...forbidden, suppressed: 0 },
        { ...forbidden, code: 'OTHER', suppressed: 0 },
      ]);
    }),
  );
});

test('the subject may be left out, and what else the line says is not passed on', () => {
  expect(heard([line({ code: 'A', message: 'b', tenantId: 'globex', pid: 1 })])).toEqual([
    { code: 'A', message: 'b', subject: undefined, suppressed: 0 },
  ]);
});

describe('what is no report is not heard', () => {
  test.each([
    ['another prefix', line(forbidden).replace('mcp', 'MCP')],
    ['a prefix that does not begin the line', ` ${line(forbidden)}`],
    ['no JSON', 'mcp-security-event: {"code":\n'],
    ['a code that is a sentence', line({ ...forbidden, code: 'a sentence' })],
    ['a code without end', line({ ...forbidden, code: 'A'.repeat(41) })],
    ['a message without end', line({ ...forbidden, message: 'a'.repeat(1025) })],
    ['a message that is no text', line({ ...forbidden, message: { a: 1 } })],
    ['a list', 'mcp-security-event: []\n'],
    ['a line too long', `mcp-security-event: ${' '.repeat(4096)}${JSON.stringify(forbidden)}\n`],
    ['a line without an end', line(forbidden).trim()],
  ])('%s', (_, text) => {
    expect(heard([text])).toEqual([]);
  });

  test('and the line after it is', () => {
    const long = Array.from({ length: 2000 }, () => 'x'.repeat(1000));
    expect(heard([...long, '\n', line(forbidden)])).toHaveLength(1);
  });
});

test('a flood is cut off, and what was left out is counted', () => {
  const at = createFakeClock();
  const reports: SecurityReport[] = [];
  const stream = new PassThrough();
  hearReports(stream, at, (report) => reports.push(report));
  const flood = Buffer.from(line(forbidden).repeat(1000));
  stream.emit('data', flood);
  expect(reports).toHaveLength(10);
  at.advance(60_000);
  stream.emit('data', Buffer.from(line(forbidden)));
  expect(reports.at(-1)).toEqual({ ...forbidden, suppressed: 990 });
  stream.emit('data', Buffer.from(line(forbidden)));
  expect(reports.at(-1)).toEqual({ ...forbidden, suppressed: 0 });
});

test('a stderr without line ends is not kept', () => {
  const stream = new PassThrough();
  const reports: SecurityReport[] = [];
  hearReports(stream, clock, (report) => reports.push(report));
  const before = process.memoryUsage().arrayBuffers;
  const chunk = Buffer.alloc(1024 * 1024, 'a');
  for (let count = 0; count < 200; count++) stream.emit('data', chunk);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
  expect(reports).toEqual([]);
});
