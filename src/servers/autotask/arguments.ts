import { z } from 'zod';
import type { Id } from './records.ts';

/** Parts of the tools' arguments and answers. */

const digits = /^\d{1,19}$/;

/** As Autotask takes it: a number, as long as a number can hold it. */
export function toVendorId(id: Id): Id {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : String(id);
}

export const id = (about: string) =>
  z
    .union([z.int().min(0), z.string().regex(digits, 'write the digits of the id')])
    .describe(about)
    .transform(toVendorId);

export const picklist = (about: string) =>
  z
    .union([z.int(), z.string().min(1).max(200)])
    .describe(`${about}: its label in this account, or its number`);

export const text = (maxChars: number, about: string) => z.string().max(maxChars).describe(about);

export const time = (about: string) =>
  z.string().max(40).describe(`${about}: 2026-01-31, or 2026-01-31T09:30:00Z; without an offset it is UTC`);

export const includeFields = z
  .array(z.string().regex(/^\w{1,100}$/, 'write names of fields'))
  .min(1)
  .max(100)
  .optional()
  .describe('Only these fields, by their names in Autotask; left out: all');

export const additionalFields = z
  .record(z.string().regex(/^\w{1,100}$/, 'write names of fields'), z.unknown())
  .optional()
  .describe('Further fields of the record, by their names in Autotask; see get_field_info');

export const userDefinedFields = z
  .array(
    z.strictObject({
      name: z.string().min(1).max(100),
      value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
    }),
  )
  .max(100)
  .optional()
  .describe('User-defined fields as {name, value}');

export const maxRecords = z.int().min(1).max(2_000).optional().describe('Records at most; left out: 50');
export const pageToken = z
  .string()
  .optional()
  .describe('nextPageToken of an earlier answer of this tool: goes on there, with the same search');

/** Of a list such as status: its number, nearly always. */
export const listValue = z.union([z.number(), z.string()]);

const recordId = z.union([z.int(), z.string()]);

/** A record as Autotask has it, times marked as UTC; `_labels` names the values of its lists. */
export const recordOutput = z.looseObject({
  id: recordId.optional(),
  _labels: z.record(z.string(), z.string()).optional(),
});

export const listOutput = z.object({
  items: z.array(recordOutput),
  count: z.int().describe('Records in this answer'),
  complete: z.boolean().describe('Whether these are all there are'),
  nextPageToken: z.string().optional(),
});

export const writeOutput = z.object({
  id: recordId,
  entity: z.string(),
  /** What the tool filled in by itself. */
  defaults: z.record(z.string(), z.unknown()).optional(),
});

/** In a tool's `_meta`: which kind of record it is about. */
export const entityMeta = (entity: string) => ({ 'mcp-tenant-proxy/entity': entity });
