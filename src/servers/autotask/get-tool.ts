import { z } from 'zod';
import type { Tool } from '../kit/surface.ts';
import { defineTool } from '../kit/tool.ts';
import { entityMeta, id, includeFields, recordOutput } from './arguments.ts';
import { type Autotask, fieldsIfKnown } from './autotask.ts';
import { labelsOf } from './picklists.ts';
import type { AutotaskRecord } from './records.ts';

export interface GetTool {
  readonly name: string;
  readonly entity: string;
  /** What one record is called. */
  readonly noun: string;
}

/** A tool that gives one record by its id. */
export function getTool(autotask: Autotask, { name, entity, noun }: GetTool): Tool {
  return defineTool({
    name,
    title: `Get a ${noun}`,
    description: `One ${noun} by its id, with the labels of its list values under _labels`,
    effect: 'read',
    input: z.strictObject({ id: id(`The id of the ${noun}`), includeFields }),
    output: recordOutput,
    meta: entityMeta(entity),
    async run(args, { signal }) {
      const record = await autotask.records.get(entity, args.id, signal);
      const fields = await fieldsIfKnown(autotask, entity);
      return { data: withLabels(only(record, args.includeFields), labelsOf(fields, record)) };
    },
  });
}

/** A single record always comes whole, so fields are chosen here. */
function only(record: AutotaskRecord, names: readonly string[] | undefined): AutotaskRecord {
  if (!names) return record;
  const wanted = new Set(['id', ...names.map((name) => name.toLowerCase())]);
  return Object.fromEntries(Object.entries(record).filter(([field]) => wanted.has(field.toLowerCase())));
}

/** The record with the labels of those of its fields that are there. */
export function withLabels(
  record: AutotaskRecord,
  labels: Readonly<Record<string, string>>,
): z.input<typeof recordOutput> {
  const shown = Object.entries(labels).filter(([field]) => field in record);
  return shown.length > 0 ? { ...record, _labels: Object.fromEntries(shown) } : { ...record };
}
