import type { CallToolResult, ContentBlock, Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ToolFailure } from './failure.ts';
import type { CallContext, Tool } from './surface.ts';

/** What a tool does to the vendor's data: its annotations follow from it. */
export type Effect = 'read' | 'create' | 'update' | 'delete';

export interface ToolResult<Output> {
  /** `structuredContent`; without `text` also the text, as JSON. */
  readonly data: Output;
  readonly text?: string;
  /** Beside the text: an image, a file. */
  readonly content?: readonly ContentBlock[];
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly effect: Effect;
  readonly input: Input;
  readonly output: Output;
  /** For `tools/list`: which vendor entity, which scopes. */
  readonly meta?: Readonly<Record<string, unknown>>;
  run(args: z.output<Input>, call: CallContext): Promise<ToolResult<z.input<Output>>>;
}

const annotations = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  create: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  update: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  delete: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
} as const satisfies Record<Effect, unknown>;

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { name } = definition;
  // Made when asked for: fifty schemas are not worth the start of a process that may never list them.
  let listed: ListedTool | undefined;
  return {
    name,
    listed: () => (listed ??= listingOf(definition)),
    async call(args, context) {
      const read = definition.input.safeParse(args);
      if (!read.success) throw refusal(definition, read.error);
      const { data, text, content = [], meta } = await definition.run(read.data, context);
      const answer: CallToolResult = {
        content: [{ type: 'text', text: text ?? JSON.stringify(data) }, ...content],
        structuredContent: data,
        ...(meta && { _meta: { ...meta } }),
      };
      return answer;
    },
  };
}

function listingOf(definition: ToolDefinition<z.ZodObject, z.ZodObject>): ListedTool {
  const { name, title, description, effect, input, output, meta } = definition;
  return {
    name,
    title,
    description,
    inputSchema: schemaOf(input, 'input') as ListedTool['inputSchema'],
    outputSchema: schemaOf(output, 'output') as NonNullable<ListedTool['outputSchema']>,
    annotations: { title, ...annotations[effect], openWorldHint: true },
    ...(meta && { _meta: { ...meta } }),
  };
}

function schemaOf(schema: z.ZodObject, io: 'input' | 'output'): object {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  // The dialect is the protocol's default, and fifty tools would say it a hundred times.
  delete json.$schema;
  return json;
}

/** Of a choice of forms zod says "Invalid input"; what each of them wants is below. */
function told(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String).join('.');
  if (issue.message.endsWith('received undefined'))
    return place === '' ? 'is missing' : `${place} is missing`;
  const forms = issue.code === 'invalid_union' ? issue.errors.map(([first]) => first && told(first)) : [];
  const each = [...new Set(forms.filter((form) => form !== undefined))];
  if (each.length === 1 && each[0] === 'is missing') return `${place} is missing`;
  const message = each.length > 0 ? each.join(', or ') : issue.message.replace(/^Invalid input: /, '');
  return place === '' ? message : `${place}: ${message}`;
}

/** Says what is wrong with each argument, and which there are. */
function refusal({ name, input }: { name: string; input: z.ZodObject }, error: z.ZodError): ToolFailure {
  const issues = error.issues.slice(0, 10).map(told);
  const known = Object.keys(input.shape).join(', ');
  return new ToolFailure('INVALID_INPUT', issues.join('; '), {
    hint: known === '' ? `${name} takes no arguments` : `${name} takes: ${known}`,
  });
}
