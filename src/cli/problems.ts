import { plainText } from '../text/plain-text.ts';
import { type Problem, type Warning } from '../yaml/problem.ts';

/** `file:line:column CODE message`, one a line, as compilers do it: editors jump to the place. */
export function problemLines(problems: readonly Problem[]): string {
  return problems.map((problem) => `${problemLine(problem)}\n`).join('');
}

/** The same with `warning` before the code, so that nobody takes them for problems. */
export function warningLines(warnings: readonly Warning[]): string {
  return warnings.map((warning) => `${problemLine(warning, 'warning ')}\n`).join('');
}

function problemLine({ file, line, column, code, message }: Problem | Warning, kind = ''): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${plainText(place)} ${kind}${code} ${plainText(message)}`;
}
