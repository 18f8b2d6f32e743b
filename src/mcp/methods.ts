/** JSON-RPC numbers the proxy itself answers with on behalf of a peer. */
export const methodNotFound = -32601;
export const invalidParams = -32602;

/** What each MCP method is to a multiplexer; all others are plain calls that one worker answers. */
export const methods = {
  initialize: 'initialize',
  initialized: 'notifications/initialized',
  ping: 'ping',
  cancelled: 'notifications/cancelled',
  progress: 'notifications/progress',
  message: 'notifications/message',
  setLevel: 'logging/setLevel',
  subscribe: 'resources/subscribe',
  unsubscribe: 'resources/unsubscribe',
  resourceUpdated: 'notifications/resources/updated',
} as const;

/** `notifications/{tools,prompts,resources}/list_changed`: everybody on the worker wants to know. */
export function isListChanged(method: string): boolean {
  return method.startsWith('notifications/') && method.endsWith('/list_changed');
}

/** A tool may have effects; everything else only reads, so its loss harms nobody. */
export function mayHaveEffects(method: string): boolean {
  return method === 'tools/call';
}

/** Log levels of `logging/setLevel`, least severe first (RFC 5424 names). */
const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** Is a message of `level` wanted by who asked for `least`? Unknown levels are passed on. */
export function isLogWanted(level: unknown, least: string | undefined): boolean {
  if (least === undefined) return true;
  const rank = logLevels.indexOf(String(level));
  return rank === -1 || rank >= logLevels.indexOf(least);
}

export function isLogLevel(level: unknown): level is string {
  return typeof level === 'string' && logLevels.includes(level);
}
