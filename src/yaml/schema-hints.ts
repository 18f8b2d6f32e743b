import type { Document } from 'yaml';
import { z } from 'zod';
import { adviceFor } from './advice.ts';

/** One thing wrong, at one path, in words that quote nothing of the file. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A schema's issue in words, at most `max` findings: what is wrong, and what to write instead. */
export function describeIssue(
  schema: z.ZodType,
  document: Document,
  issue: z.core.$ZodIssue,
  max: number,
): Finding[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(schema, path));
    const place = path.length === 0 ? 'here' : `under ${nameOf(schema, path)}`;
    return issue.keys
      .slice(0, max)
      .map((key) => ({ path: [...path, key], message: unknownKey(place, key, known) }));
  }
  const name = nameOf(schema, path);
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    return [
      {
        path,
        message: `${nameOf(schema, path.slice(0, -1))}: ${inner ? adviceFor(inner) : 'this name may not be used'}`,
      },
    ];
  }
  const isMissing = !document.hasIn(path.map(keyOf));
  const advice = adviceFor(issue);
  return [{ path, message: isMissing ? `${name} is missing; ${advice}` : `${name}: ${advice}` }];
}

const keyOf = (key: PropertyKey) => (typeof key === 'symbol' ? String(key) : key);

/**
 * The name of a setting. Where names are free (variables, servers) `…` stands: what was meant as a name may be a secret
 * that slipped to the left of a colon, and the place says it anyway.
 */
function nameOf(schema: z.ZodType, path: readonly PropertyKey[]): string {
  let name = '';
  for (const [index, key] of path.entries()) {
    const isFree = schemaAt(schema, path.slice(0, index)) instanceof z.ZodRecord;
    if (typeof key === 'number') name += `[${key}]`;
    else name += `${name === '' ? '' : '.'}${isFree ? '…' : String(key)}`;
  }
  return name === '' ? 'the file' : name;
}

/** Says what was meant, or what there is; never what was written. */
function unknownKey(place: string, key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `There is no such key ${place}; write "${near}"?`;
  return `There is no such key ${place}; there are: ${known.join(', ') || 'none yet'}`;
}

/** Follows a path through a schema, as far as the schema knows it. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = bare(schema);
  for (const key of path) {
    if (at instanceof z.ZodObject) at = at.shape[String(key)] as z.ZodType | undefined;
    else if (at instanceof z.ZodRecord) at = at.valueType as z.ZodType;
    else if (at instanceof z.ZodArray) at = at.element as z.ZodType;
    else return undefined;
    at = at && bare(at);
  }
  return at;
}

/** Without what makes it optional or gives it a default. */
function bare(schema: z.ZodType): z.ZodType {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap() as z.ZodType;
  return at;
}

function knownKeys(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The key that is at most two slips away, if there is one. */
function nearest(key: string, known: readonly string[]): string | undefined {
  if (key.length > 63) return undefined;
  const [best] = known
    .map((name) => ({ name, slips: distance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= 2 && slips < name.length)
    .sort((a, b) => a.slips - b.slips);
  return best?.name;
}

/** Levenshtein's: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of a.split('').entries()) {
    const next = [index + 1];
    for (let at = 1; at <= b.length; at++) {
      const change = (row[at - 1] ?? 0) + (letter === b[at - 1] ? 0 : 1);
      next.push(Math.min((row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
