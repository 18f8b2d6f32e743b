import type { z } from 'zod';

const typeAdvice: Readonly<Record<string, string>> = {
  object: 'write keys with their values under it',
  record: 'write keys with their values under it',
  array: 'write a list',
  string: 'write a text; quote it if it looks like a number',
  number: 'write a number',
  int: 'write a whole number',
  boolean: 'write true or false',
};

/** What to write instead. A schema's own words win; the library's are about types, and people write values. */
export function adviceFor(issue: z.core.$ZodIssue): string {
  const isLibraryText = /^(Invalid|Too (small|big))/.test(issue.message);
  if (!isLibraryText) return issue.message;
  if (issue.code === 'invalid_type') return typeAdvice[issue.expected] ?? 'write another kind of value';
  if (issue.code === 'invalid_value') return `write one of: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundAdvice(issue);
  return 'this value may not stand here';
}

function boundAdvice(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isNumber = issue.origin === 'number' || issue.origin === 'int';
  const [word, bound] = issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum];
  if (!isNumber && issue.code === 'too_small' && Number(bound) === 1) return 'must not be empty';
  return `write ${word} ${bound}${isNumber ? '' : ' characters'}`;
}
