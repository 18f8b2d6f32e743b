/** JSON-RPC numbers the proxy itself answers with on behalf of a peer. */
export const methodNotFound = -32601;
export const invalidParams = -32602;
export const internalError = -32603;
/** Of 2026-07-28. */
export const headerMismatch = -32020;
export const missingCapability = -32021;
export const unsupportedVersion = -32022;
/** Of revisions up to 2025-11-25. */
export const resourceNotFound = -32002;
export const urlElicitationRequired = -32042;

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
  discover: 'server/discover',
  listen: 'subscriptions/listen',
  acknowledged: 'notifications/subscriptions/acknowledged',
  callTool: 'tools/call',
  listTools: 'tools/list',
  getPrompt: 'prompts/get',
  readResource: 'resources/read',
  elicit: 'elicitation/create',
  elicited: 'notifications/elicitation/complete',
  sample: 'sampling/createMessage',
  listRoots: 'roots/list',
  taskResult: 'tasks/result',
  taskStatus: 'notifications/tasks/status',
} as const;

/** `notifications/{tools,prompts,resources}/list_changed`: everybody on the worker wants to know. */
export function isListChanged(method: string): boolean {
  return method.startsWith('notifications/') && method.endsWith('/list_changed');
}

/** The capability by which a server promises to answer a method: what it then says -32601 to is something else. */
const promises: ReadonlyMap<string, string> = new Map([
  [methods.callTool, 'tools'],
  [methods.getPrompt, 'prompts'],
  [methods.readResource, 'resources'],
  ['completion/complete', 'completions'],
]);

/** Does a server with these capabilities know the method, whatever it answers? False: who can tell. */
export function isPromised(method: string, capabilities: Readonly<Record<string, unknown>>): boolean {
  const capability = promises.get(method);
  return capability !== undefined && capabilities[capability] !== undefined;
}

/** A tool may have effects; everything else only reads, so its loss harms nobody. */
export function mayHaveEffects(method: string): boolean {
  return method === methods.callTool;
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

/** Methods that 2026-07-28 took out (changelog), and tasks, which became an extension that is not offered. */
export function isRemoved(method: string): boolean {
  return removedMethods.has(method) || method.startsWith('tasks/');
}

const removedMethods = new Set<string>([
  methods.initialize,
  methods.ping,
  methods.setLevel,
  methods.subscribe,
  methods.unsubscribe,
  methods.elicited,
  methods.taskStatus,
]);

/** Methods whose results say how long they may be kept (2026-07-28 server/utilities/caching). */
export const cacheableMethods: ReadonlySet<string> = new Set([
  methods.discover,
  methods.listTools,
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  methods.readResource,
]);
