import { z } from 'zod';
import { ToolFailure } from '../kit/failure.ts';
import type { CallContext, Tool } from '../kit/surface.ts';
import { defineTool } from '../kit/tool.ts';
import { additionalFields, entityMeta, id, userDefinedFields, writeOutput } from './arguments.ts';
import type { Autotask } from './autotask.ts';
import { defaultValue, valueOf } from './picklists.ts';
import type { AutotaskRecord } from './records.ts';
import type { WriteField } from './write-fields.ts';

type Fields = Readonly<Record<string, WriteField>>;

export interface WriteTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly entity: string;
  readonly fields: Fields;
  /** Those of the fields that must be said. */
  readonly required: readonly string[];
  /** Where it is written to, if that is not the entity's own path: children are written below their parents. */
  readonly path?: (body: AutotaskRecord) => string;
  /** List values that a new record gets where nothing is said: the account's default, else the one of this label. */
  readonly usualLabels?: Readonly<Record<string, string>>;
  /** Other values that it gets then. */
  readonly defaults?: () => Readonly<Record<string, unknown>>;
  /** Looks at the whole before it is sent, and may add to it. Throws ToolFailure. */
  readonly finish?: (body: AutotaskRecord, call: CallContext) => AutotaskRecord | Promise<AutotaskRecord>;
}

/** A tool that makes a new record. */
export function createTool(autotask: Autotask, tool: WriteTool): Tool {
  const { name, title, description, entity } = tool;
  return defineTool({
    name,
    title,
    description,
    effect: 'create',
    input: z.strictObject(shapeOf(tool)),
    output: writeOutput,
    meta: entityMeta(entity),
    async run(args, call) {
      const said = await bodyOf(autotask, tool, args);
      const filled = await filledIn(autotask, tool, said);
      const body = { ...filled, ...said };
      const finished = tool.finish ? await tool.finish(body, call) : body;
      const made = await autotask.records.create(tool.path?.(finished) ?? entity, finished, call.signal);
      autotask.log.info('record.created', `${entity} ${made} was created`);
      const hasDefaults = Object.keys(filled).length > 0;
      return { data: { id: made, entity, ...(hasDefaults && { defaults: filled }) } };
    },
  });
}

/** A tool that changes the given fields of a record and no others. */
export function updateTool(autotask: Autotask, tool: WriteTool): Tool {
  const { name, title, description, entity } = tool;
  return defineTool({
    name,
    title,
    description: `${description} Only the fields that are given change; null empties one.`,
    effect: 'update',
    input: z.strictObject({ id: id('The id of the record'), ...changesOf(tool) }),
    output: writeOutput,
    meta: entityMeta(entity),
    async run(args, call) {
      const changed = await updateRecord(autotask, tool, args, call);
      return { data: { id: changed, entity } };
    },
  });
}

/** One update, also for those that come in batches. `args` holds the id and what is to change. */
export async function updateRecord(
  autotask: Autotask,
  tool: WriteTool,
  args: Readonly<Record<string, unknown>>,
  call: CallContext,
): Promise<string | number> {
  const { id: target, ...rest } = args;
  const changes = await bodyOf(autotask, tool, rest);
  const parents = new Set(tool.required);
  if (Object.keys(changes).every((field) => parents.has(field)))
    throw new ToolFailure('INVALID_INPUT', 'Nothing to change was given', {
      hint: 'Give at least one field',
    });
  const body = { id: target, ...changes };
  const changed = await autotask.records.update(tool.path?.(body) ?? tool.entity, body, call.signal);
  autotask.log.info('record.updated', `${tool.entity} ${String(changed)} was updated`);
  return changed;
}

type Shape = Record<string, z.ZodType>;

/** The arguments of a tool that makes a record. */
function shapeOf(tool: WriteTool): Shape {
  return shapeWith(tool, (schema) => schema.optional());
}

/** The arguments of a tool that changes one: `null` empties a field. */
export function changesOf(tool: WriteTool): Shape {
  return shapeWith(tool, (schema) => schema.nullable().optional());
}

function shapeWith({ fields, required }: WriteTool, unasked: (schema: z.ZodType) => z.ZodType): Shape {
  const own = Object.entries(fields).map(([name, { schema }]) => {
    return [name, required.includes(name) ? schema : unasked(schema)] as const;
  });
  return { ...Object.fromEntries(own), userDefinedFields, additionalFields };
}

/** What was said, as Autotask takes it. */
async function bodyOf(
  autotask: Autotask,
  { entity, fields }: WriteTool,
  args: Readonly<Record<string, unknown>>,
): Promise<AutotaskRecord> {
  const { additionalFields: more, userDefinedFields: own, ...named } = args;
  const body: Record<string, unknown> = {};
  // In the order of the fields: a list may depend on one before it.
  for (const [name, field] of Object.entries(fields)) {
    const said = named[name];
    if (said !== undefined) body[name] = said === null ? null : field.toVendor(said, name);
  }
  const isChoice = (name: string): boolean => body[name] !== null && fields[name]?.isPicklist === true;
  for (const name of Object.keys(body).filter(isChoice)) {
    const written = body[name] as string | number;
    const known = typeof written === 'number' ? [] : await autotask.fieldInfo.fields(entity);
    body[name] = valueOf(known, { entity, field: name, written, beside: body, isWrite: true });
  }
  if (own !== undefined) body['userDefinedFields'] = own;
  return { ...body, ...furtherFields(more, body) };
}

function furtherFields(more: unknown, body: AutotaskRecord): AutotaskRecord {
  const further = (more ?? {}) as AutotaskRecord;
  const taken = new Set(['id', ...Object.keys(body)].map((name) => name.toLowerCase()));
  const twice = Object.keys(further).filter((name) => taken.has(name.toLowerCase()));
  if (twice.length === 0) return further;
  throw new ToolFailure('INVALID_INPUT', `additionalFields repeats ${twice.join(', ')}`, {
    hint: 'Say each field once, by its own argument where it has one',
  });
}

/** What was not said and has a default, for a new record. */
async function filledIn(autotask: Autotask, tool: WriteTool, said: AutotaskRecord): Promise<AutotaskRecord> {
  const { entity, usualLabels = {}, defaults = () => ({}) } = tool;
  const filled: Record<string, unknown> = {};
  for (const [name, usual] of Object.entries(usualLabels)) {
    if (name in said) continue;
    const value = defaultValue(await autotask.fieldInfo.fields(entity), name, usual);
    // Without one Autotask itself says what is missing.
    if (value !== undefined) filled[name] = value;
  }
  for (const [name, value] of Object.entries(defaults())) if (!(name in said)) filled[name] = value;
  return filled;
}
