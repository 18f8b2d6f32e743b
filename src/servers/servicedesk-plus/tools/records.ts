import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { type Body } from '../api/answer.ts';
import { isObject } from '../api/complaints.ts';
import type { Portal } from '../api/service-desk.ts';
import type { Scope } from '../oauth/scopes.ts';
import { argumentsOf, changesOf, entityOf, type Field, id } from './fields.ts';
import { deskTool, type Module, type ToolMaker } from './module.ts';

/** Records are handed on as the API has them: every portal adds fields of its own. */
export const anyRecord = z.looseObject({});
export type AnyRecord = Readonly<Record<string, unknown>>;

/** The record in an answer; its key differs here and there, so else the first object beside the status. */
export function recordIn(body: Body, key: string): AnyRecord {
  const found =
    body[key] ??
    Object.entries(body).find(([name]) => name !== 'response_status' && name !== 'list_info')?.[1];
  if (isObject(found)) return found;
  throw new ToolFailure('BAD_REPLY', `ServiceDesk Plus answered without a ${key}`, { executed: 'unknown' });
}

export const idOf = (args: Readonly<Record<string, unknown>>, { idName }: Module): string =>
  String(args[idName]);

export function getTool(module: Module, name = `get_${module.key}`): ToolMaker {
  const { plural, key, idName, label, read } = module;
  return deskTool({
    name,
    title: `Get a ${label}`,
    description: `One ${label} with all its fields, by its long id`,
    effect: 'read',
    scopes: read,
    input: z.strictObject({ [idName]: id(`The ${label}'s long id`) }),
    output: z.object({ [key]: anyRecord }),
    async run(args, portal) {
      const body = await portal.send({ method: 'GET', path: [plural, idOf(args, module)] });
      return { data: { [key]: recordIn(body, key) } };
    },
  });
}

interface Writing {
  readonly name: string;
  readonly description: string;
  readonly fields: readonly Field[];
  readonly scopes: readonly Scope[];
}

export function createTool(
  module: Module,
  writing: Writing & { readonly mandatory: readonly string[] },
): ToolMaker {
  const { plural, key, label } = module;
  const { name, description, fields, scopes, mandatory } = writing;
  return deskTool({
    name,
    title: `Create a ${label}`,
    description: `${description}. A portal may demand more fields; its answer then names them`,
    effect: 'create',
    scopes,
    input: z.strictObject(argumentsOf(fields, mandatory)),
    output: z.object({ [key]: anyRecord }),
    async run(args, portal) {
      const body = await portal.send({
        method: 'POST',
        path: [plural],
        input: { [key]: entityOf(fields, args) },
      });
      return { data: { [key]: recordIn(body, key) } };
    },
  });
}

export function updateTool(module: Module, writing: Writing): ToolMaker {
  const { key, idName, label } = module;
  const { name, description, fields, scopes } = writing;
  return deskTool({
    name,
    title: `Update a ${label}`,
    description: `${description}. Fields that are left out stay as they are; null empties one`,
    effect: 'update',
    scopes,
    input: z.strictObject({ [idName]: id(`The ${label}'s long id`), ...changesOf(fields) }),
    output: z.object({ [key]: anyRecord }),
    run: async (args, portal) => ({ data: { [key]: await putRecord(portal, module, { args, fields }) } }),
  });
}

async function putRecord(
  portal: Portal,
  module: Module,
  { args, fields }: { readonly args: Readonly<Record<string, unknown>>; readonly fields: readonly Field[] },
): Promise<AnyRecord> {
  const { plural, key, label } = module;
  const entity = entityOf(fields, args);
  if (Object.keys(entity).length === 0) {
    throw new ToolFailure('INVALID_INPUT', `Nothing to change: name at least one field of the ${label}`);
  }
  const body = await portal.send({
    method: 'PUT',
    path: [plural, idOf(args, module)],
    input: { [key]: entity },
  });
  return recordIn(body, key);
}
