import type { z } from 'zod';
import { defineTool, type ToolDefinition, type ToolResult } from '../../kit/tool.ts';
import type { Tool } from '../../kit/surface.ts';
import type { Portal, ServiceDesk } from '../api/service-desk.ts';
import type { Scope } from '../oauth/scopes.ts';

/** A kind of record as the API names it. */
export interface Module {
  /** In addresses, and in the JSON of lists. */
  readonly plural: string;
  /** In the JSON of one record. */
  readonly key: string;
  /** The argument that names one: `requestId`. */
  readonly idName: string;
  /** For people. */
  readonly label: string;
  /** The field that a keyword is looked for in. */
  readonly titleField: string;
  readonly read: readonly Scope[];
}

/** A tool that waits for the service desk it will ask. */
export type ToolMaker = (desk: ServiceDesk) => Tool;

interface DeskTool<Input extends z.ZodObject, Output extends z.ZodObject> extends Omit<
  ToolDefinition<Input, Output>,
  'run' | 'meta'
> {
  /** Any of them; more than one where sources name different ones. The first is the one to ask for. */
  readonly scopes: readonly Scope[];
  readonly run: (args: z.output<Input>, portal: Portal) => Promise<ToolResult<z.input<Output>>>;
}

export function deskTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: DeskTool<Input, Output>,
): ToolMaker {
  const { scopes, run, ...rest } = definition;
  return (desk) =>
    defineTool({
      ...rest,
      meta: { 'mcp-tenant-proxy/scopes': scopes },
      run: async (args, call) => run(args, await desk.open(scopes, call)),
    });
}
