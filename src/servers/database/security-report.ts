import type { Redactor } from '../kit/redactor.ts';

/** What an operator should know of: somebody tried what they may not. */
export interface SecurityReport {
  /** Capitals, digits and `_`. */
  readonly code: string;
  readonly message: string;
  /** What was asked for. */
  readonly subject: string;
}

const maxSubjectChars = 500;

/** One line on stderr, in the form the proxy picks up; alone, this server's operator finds it in the log. */
export function securityReporter(
  redact: Redactor,
  write: (line: string) => void,
): (report: SecurityReport) => void {
  return ({ code, message, subject }) => {
    const report = { code, message, subject: subject.slice(0, maxSubjectChars) };
    write(`mcp-security-event: ${redact(JSON.stringify(report))}\n`);
  };
}
