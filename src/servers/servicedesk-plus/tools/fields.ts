import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';

/** One argument of a tool, and what becomes of it in the API's JSON. */
export interface Field {
  readonly name: string;
  readonly schema: z.ZodType;
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

const idObject = z.object({ id: id('The long id') });
/** By its name as people see it, or by its id. */
const lookup = z.union([z.string().min(1).max(250), idObject]);
const person = z.union([z.email(), idObject]);
const time = z.string().max(40);

const field = (
  name: string,
  schema: z.ZodType,
  key: string,
  write: Field['write'] = (value) => value,
): Field => ({
  name,
  schema,
  key,
  write,
});

export const text = (name: string, about: string, { key = name, max = 65_536 } = {}): Field =>
  field(name, z.string().max(max).describe(about), key);

export const flag = (name: string, about: string, key = name): Field =>
  field(name, z.boolean().describe(about), key);

export const named = (name: string, about: string, key = name): Field =>
  field(name, lookup.describe(`${about}: its name, or { id }`), key, (value: string | object) =>
    typeof value === 'string' ? { name: value } : value,
  );

export const user = (name: string, about: string, key: string): Field =>
  field(name, person.describe(`${about}: an e-mail address, or { id }`), key, (value: string | object) =>
    typeof value === 'string' ? { email_id: value } : value,
  );

export const moment = (name: string, about: string, key: string): Field =>
  field(name, time.describe(`${about}: ISO 8601, UTC where no offset is given`), key, (value: string) => ({
    value: String(epochMs(name, value)),
  }));

export const udfFields: Field = field(
  'udfFields',
  z.record(z.string(), z.unknown()).describe('Additional fields of this portal by their API names'),
  'udf_fields',
);

/** The schema of these fields as arguments; all may be left out but those in `mandatory`. */
export function argumentsOf(fields: readonly Field[], mandatory: readonly string[] = []): z.ZodRawShape {
  const shape = fields.map(({ name, schema }) => [
    name,
    mandatory.includes(name) ? schema : schema.optional(),
  ]);
  return Object.fromEntries(shape) as z.ZodRawShape;
}

/** The same for a change: `null` empties a field. */
export function changesOf(fields: readonly Field[]): z.ZodRawShape {
  return Object.fromEntries(fields.map(({ name, schema }) => [name, schema.nullable().optional()]));
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
  const isLocal = /T\d/.test(written) && !/(Z|[+-]\d\d:?\d\d)$/i.test(written);
  const at = /^\d{10,16}$/.test(written) ? Number(written) : Date.parse(isLocal ? `${written}Z` : written);
  if (!Number.isNaN(at)) return at;
  throw new ToolFailure('INVALID_INPUT', `${name}: write a time such as 2026-11-21T09:30:00Z`);
}
