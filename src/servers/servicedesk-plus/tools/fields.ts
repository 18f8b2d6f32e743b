import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { readIsoTime } from '../../kit/iso-time.ts';

/** One argument of a tool, and what becomes of it in the API's JSON. */
export interface Field {
  readonly name: string;
  readonly about: string;
  /** What it may be. Kept apart, so that "or null" is one more and `tools/list` stays short. */
  readonly options: readonly z.ZodType[];
  /** The key in the API's JSON. */
  readonly key: string;
  readonly write: (value: never) => unknown;
}

/**
 * Ids have up to 19 digits, more than a JSON number can hold: always texts. A number that is still exact is taken,
 * because models write them.
 */
export const id = (about: string) =>
  z
    .union([
      z.string().regex(/^\d{1,19}$/, 'an id is a text of digits; the number people see is not it'),
      z.int().positive(),
    ])
    .transform(String)
    .describe(about);

const idObject = z.object({ id: z.string().regex(/^\d{1,19}$/) });
/** By its name as people see it, or by its id. */
const lookup = [z.string().min(1).max(250), idObject];
const person = [z.string().regex(/^[^\s@]+@[^\s@]+$/, 'write an e-mail address, or { id }'), idObject];

const asItIs = (value: unknown) => value;

export const text = (name: string, about: string, { key = name, max = 65_536 } = {}): Field => ({
  name,
  about,
  options: [z.string().max(max)],
  key,
  write: asItIs,
});

export const flag = (name: string, about: string, key = name): Field => ({
  name,
  about,
  options: [z.boolean()],
  key,
  write: asItIs,
});

export const named = (name: string, about: string, key = name): Field => ({
  name,
  about: `${about}: its name, or { id }`,
  options: lookup,
  key,
  write: (value: string | object) => (typeof value === 'string' ? { name: value } : value),
});

export const user = (name: string, about: string, key: string): Field => ({
  name,
  about: `${about}: an e-mail address, or { id }`,
  options: person,
  key,
  write: (value: string | object) => (typeof value === 'string' ? { email_id: value } : value),
});

export const moment = (name: string, about: string, key: string): Field => ({
  name,
  about: `${about}: ISO 8601, UTC where no offset is given`,
  options: [z.string().max(40)],
  key,
  write: (value: string) => ({ value: String(epochMs(name, value)) }),
});

export const udfFields: Field = {
  name: 'udfFields',
  about: 'Additional fields of this portal by their API names',
  options: [z.record(z.string(), z.unknown())],
  key: 'udf_fields',
  write: asItIs,
};

/** The schema of these fields as arguments; all may be left out but those in `mandatory`. */
export function argumentsOf(fields: readonly Field[], mandatory: readonly string[] = []): z.ZodRawShape {
  return Object.fromEntries(
    fields.map(({ name, about, options }) => {
      const schema = z.union(options).describe(about);
      return [name, mandatory.includes(name) ? schema : schema.optional()];
    }),
  );
}

/** The same for a change: `null` empties a field. */
export function changesOf(fields: readonly Field[]): z.ZodRawShape {
  return Object.fromEntries(
    fields.map(({ name, about, options }) => [
      name,
      z
        .union([...options, z.null()])
        .describe(about)
        .optional(),
    ]),
  );
}

/** The API's JSON for the arguments that were given. One that was not must not appear: `null` would empty the field. */
export function entityOf(
  fields: readonly Field[],
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const given = fields.filter(({ name }) => args[name] !== undefined);
  return Object.fromEntries(
    given.map(({ name, key, write }) => [key, args[name] === null ? null : write(args[name] as never)]),
  );
}

/** Milliseconds since 1970; a text of digits is that already. */
function epochMs(name: string, written: string): number {
  const at = /^\d{10,16}$/.test(written) ? Number(written) : readIsoTime(written)?.at.getTime();
  if (at !== undefined) return at;
  throw new ToolFailure('INVALID_INPUT', `${name}: write a time such as 2026-11-21T09:30:00Z`);
}
