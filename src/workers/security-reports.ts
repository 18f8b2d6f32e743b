import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../time/clock.ts';

/** What a server saw that an operator should know of: somebody tried what they may not. */
export interface SecurityReport {
  readonly code: string;
  readonly message: string;
  /** What was asked for, as it was written. */
  readonly subject: string | undefined;
  /** Reports of the same worker that were left out before this one. */
  readonly suppressed: number;
}

/** A line on a server's stderr that begins so is a report; the rest of it is JSON. `docs/operations.md` has the format. */
export const reportPrefix = 'mcp-security-event: ';

const maxLineBytes = 4096;
/** A hostile child can write any line it likes, but not fill the log with them. */
const maxReports = { count: 10, windowMs: 60_000 };

const reportLine = z.object({
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/),
  message: z.string().max(1024),
  subject: z.string().max(1024).optional(),
});

/**
 * Listens to a worker's stderr for reports. Whose they are is for the caller to say: who wrote the line is known from
 * the pipe, never from the line. What is no report is nobody's business here.
 */
export function hearReports(stderr: Readable, clock: Clock, report: (report: SecurityReport) => void): void {
  const mayReport = createReportMeter(clock);
  const hear = (line: Buffer): void => {
    const read = readReport(line);
    if (!read) return;
    const suppressed = mayReport();
    if (suppressed !== undefined) report({ ...read, suppressed });
  };
  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  stderr.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      if (!isTooLong && rest.length + end - from <= maxLineBytes)
        hear(rest.length > 0 ? Buffer.concat([rest, chunk.subarray(from, end)]) : chunk.subarray(from, end));
      rest = Buffer.alloc(0);
      isTooLong = false;
      from = end + 1;
    }
    isTooLong ||= rest.length + chunk.length - from > maxLineBytes;
    rest = isTooLong ? Buffer.alloc(0) : Buffer.concat([rest, chunk.subarray(from)]);
  });
}

function readReport(line: Buffer): Omit<SecurityReport, 'suppressed'> | undefined {
  if (line.length > maxLineBytes || line.toString('latin1', 0, reportPrefix.length) !== reportPrefix)
    return undefined;
  try {
    const json: unknown = JSON.parse(line.toString('utf8', reportPrefix.length));
    const { data } = reportLine.safeParse(json);
    return data && { code: data.code, message: data.message, subject: data.subject };
  } catch {
    return undefined;
  }
}

/** How many reports were left out since the last one; undefined if this one is left out too. */
function createReportMeter(clock: Clock): () => number | undefined {
  let since = clock.now();
  let count = 0;
  let suppressed = 0;
  return () => {
    const now = clock.now();
    if (now - since >= maxReports.windowMs) {
      since = now;
      count = 0;
    }
    if (count >= maxReports.count) {
      suppressed++;
      return undefined;
    }
    count++;
    const before = suppressed;
    suppressed = 0;
    return before;
  };
}
