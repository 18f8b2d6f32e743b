import { type ToolFailure, toFailure } from './failure.ts';
import { failureResult, toldOf } from './failure-result.ts';
import type { Logger } from './logger.ts';
import type { Redactor } from './redactor.ts';
import { type Incoming, isId, isObject, type Params, type RequestId, rpcErrors } from './rpc.ts';
import type { CallContext, Resources, Surface, Tool } from './surface.ts';

export interface ServerCard {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** For the model: what this server is for and how its tools go together. */
  readonly instructions: string;
  /** Whether the surface has resources; told before it is loaded. */
  readonly hasResources: boolean;
}

export interface SessionOptions {
  readonly card: ServerCard;
  /** The handshake is answered before this settles. */
  readonly surface: Promise<Surface>;
  readonly send: (message: object) => void;
  readonly log: Logger;
  readonly redact: Redactor;
}

export interface McpSession {
  receive(message: Incoming): void;
  /** Settles when nothing is in flight. */
  idle(): Promise<void>;
  /** Calls off what is in flight. */
  end(): void;
}

/** Revisions with an `initialize` handshake, newest first. */
const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
/** Calls in flight; one more is refused. */
const maxInFlight = 500;

/** An RPC error that is the answer, rather than a mistake of ours. */
class RpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** One client's stay on stdin and stdout: MCP 2024-11-05 to 2025-11-25, as far as a server of tools and resources needs it. */
export function createMcpSession(options: SessionOptions): McpSession {
  const { send } = options;
  const inFlight = new Map<RequestId, AbortController>();
  let whenIdle: (() => void) | undefined;

  function receive(message: Incoming): void {
    if (message.kind === 'broken') {
      const { id, code, message: text } = message;
      send({ jsonrpc: '2.0', id, error: { code, message: text } });
    } else if (message.kind === 'request') {
      void answer(message.id, message.method, message.params);
    } else if (message.method === 'notifications/cancelled') {
      const { requestId } = message.params;
      if (isId(requestId)) inFlight.get(requestId)?.abort();
    }
  }

  async function answer(id: RequestId, method: string, params: Params): Promise<void> {
    const controller = new AbortController();
    try {
      if (inFlight.has(id)) throw new RpcError(rpcErrors.invalidRequest, 'This id is in use');
      if (inFlight.size >= maxInFlight) throw new RpcError(rpcErrors.internal, 'Too many requests at once');
      inFlight.set(id, controller);
      const context = contextOf(params, controller.signal, send);
      const result = await resultOf(method, params, context, options);
      // A client that cancelled must not be answered (2025-11-25, cancellation).
      if (!controller.signal.aborted) send({ jsonrpc: '2.0', id, result });
    } catch (thrown) {
      if (!controller.signal.aborted) send({ jsonrpc: '2.0', id, error: errorOf(thrown, options) });
    } finally {
      if (inFlight.get(id) === controller) inFlight.delete(id);
      if (inFlight.size === 0) whenIdle?.();
    }
  }

  return {
    receive,
    idle: () =>
      new Promise((resolve) => {
        if (inFlight.size === 0) resolve();
        else whenIdle = resolve;
      }),
    end() {
      for (const controller of inFlight.values()) controller.abort();
    },
  };
}

function contextOf(params: Params, signal: AbortSignal, send: (message: object) => void): CallContext {
  const progressToken = isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined;
  return {
    signal,
    progress(done, total, message) {
      if (!isId(progressToken) || signal.aborted) return;
      const said = { progressToken, progress: done, total, message };
      send({ jsonrpc: '2.0', method: 'notifications/progress', params: said });
    },
  };
}

async function resultOf(
  method: string,
  params: Params,
  context: CallContext,
  options: SessionOptions,
): Promise<object> {
  switch (method) {
    case 'initialize':
      return initializeResult(params, options.card);
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: (await options.surface).tools.map((tool) => tool.listed()) };
    case 'tools/call':
      return callTool(params, context, options);
    default:
      return resourceResult(method, params, context, options);
  }
}

function initializeResult({ protocolVersion }: Params, card: ServerCard): object {
  const { name, title, version, instructions, hasResources } = card;
  return {
    protocolVersion: versions.find((each) => each === protocolVersion) ?? versions[0],
    capabilities: { tools: {}, ...(hasResources && { resources: {} }) },
    serverInfo: { name, title, version },
    instructions,
  };
}

async function callTool(params: Params, context: CallContext, options: SessionOptions): Promise<object> {
  const { surface, log, redact } = options;
  const tool = findTool((await surface).tools, params['name']);
  const args = params['arguments'] ?? {};
  const names = isObject(args) ? Object.keys(args).join(' ') : '';
  log.debug('tool.called', `Calling tool: ${tool.name}`, { tool: tool.name, arguments: names });
  const began = performance.now();
  try {
    return await tool.call(args, context);
  } catch (thrown) {
    const failure = toFailure(thrown, context.signal);
    logFailure(failure, tool.name, log);
    return failureResult(failure, redact);
  } finally {
    const ms = Math.round(performance.now() - began);
    log.debug('tool.ended', `Tool ${tool.name} took ${ms} ms`, { tool: tool.name, ms });
  }
}

function findTool(tools: readonly Tool[], name: unknown): Tool {
  const found = tools.find((tool) => tool.name === name);
  if (found) return found;
  throw new RpcError(rpcErrors.invalidParams, `Unknown tool: ${String(name).slice(0, 100)}`);
}

function logFailure(failure: ToolFailure, tool: string, log: Logger): void {
  const { code, status } = failure;
  if (code === 'INTERNAL_ERROR') {
    const cause = failure.cause instanceof Error ? failure.cause.stack : String(failure.cause);
    log.error('tool.broken', failure.message, { tool, code, cause });
  } else {
    log.info('tool.failed', failure.message, { tool, code, status });
  }
}

async function resourceResult(
  method: string,
  params: Params,
  context: CallContext,
  { card, surface }: SessionOptions,
): Promise<object> {
  const resources = card.hasResources ? (await surface).resources : undefined;
  if (!resources) throw new RpcError(rpcErrors.methodNotFound, `Method not found: ${method.slice(0, 100)}`);
  switch (method) {
    case 'resources/list':
      return { resources: await resources.list(context) };
    case 'resources/templates/list':
      return { resourceTemplates: resources.templates?.() ?? [] };
    case 'resources/read':
      return readResource(resources, params, context);
    default:
      throw new RpcError(rpcErrors.methodNotFound, `Method not found: ${method.slice(0, 100)}`);
  }
}

function readResource(resources: Resources, { uri }: Params, context: CallContext): Promise<object> {
  if (typeof uri !== 'string') throw new RpcError(rpcErrors.invalidParams, 'uri is missing');
  return resources.read(uri, context);
}

function errorOf(thrown: unknown, { log, redact }: SessionOptions): object {
  if (thrown instanceof RpcError) return { code: thrown.code, message: thrown.message };
  const failure = toFailure(thrown);
  logFailure(failure, '', log);
  const code = failure.code === 'NOT_FOUND' ? rpcErrors.resourceNotFound : rpcErrors.internal;
  const { error: message, ...data } = toldOf(failure, redact);
  return { code, message, data };
}
