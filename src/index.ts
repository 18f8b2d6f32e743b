/**
 * The proxy as a library.
 *
 * @example
 * const loaded = loadConfig('proxy.config.yaml');
 * if ('problems' in loaded) throw new Error(loaded.problems[0].message);
 * const proxy = createProxy(loaded.config);
 * const { url } = await proxy.start();
 * // …
 * await proxy.stop();
 */
export { createProxy, type Proxy, type ProxyOptions } from './app.ts';
export { type Config, type LoadedConfig, loadConfig } from './config/load-config.ts';
export { createKey, type NewKey } from './auth/new-key.ts';
export { errorCodes, type ErrorCode, ProxyError } from './calls/error.ts';
export type { Actions } from './admin/actions.ts';
export type { Status, StatusTotals, TenantState, TenantStatus, WorkerStatus } from './admin/status.ts';
export type { Announce, ProxyEvent } from './events/events.ts';
export type { Tenant, TenantChange } from './tenants/tenant.ts';
export type { Problem, ProblemCode } from './yaml/problem.ts';
