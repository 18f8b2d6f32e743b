import { plainText } from '../text/plain-text.ts';
import { type Problem } from '../yaml/problem.ts';

/** `file:line:column CODE message`, one a line, as compilers do it: editors jump to the place. */
export function problemLines(problems: readonly Problem[]): string {
  return problems.map((problem) => `${problemLine(problem)}\n`).join('');
}

function problemLine({ file, line, column, code, message }: Problem): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${plainText(place)} ${code} ${plainText(message)}`;
}
