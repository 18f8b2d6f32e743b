import type {
  CallToolResult,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
  Tool as ListedTool,
} from '@modelcontextprotocol/sdk/types.js';

/** What a tool knows of the call it serves. */
export interface CallContext {
  /** Aborted when the client cancels or the server stops; hand it to every request. */
  readonly signal: AbortSignal;
  /** Tells the client how far a long call is, if it wants to know. `done` must grow. */
  progress(done: number, total?: number, message?: string): void;
}

export interface Tool {
  readonly name: string;
  /** As `tools/list` has it. */
  listed(): ListedTool;
  /** Throws ToolFailure. */
  call(args: unknown, context: CallContext): Promise<CallToolResult>;
}

export interface Resources {
  list(context: CallContext): Promise<readonly Resource[]>;
  templates?(): readonly ResourceTemplate[];
  /** Throws ToolFailure; NOT_FOUND where there is no such resource. */
  read(uri: string, context: CallContext): Promise<ReadResourceResult>;
}

/** What a server offers. */
export interface Surface {
  readonly tools: readonly Tool[];
  readonly resources?: Resources | undefined;
  /** Called once, when the client has gone. */
  close?(): Promise<void>;
}
