import { type Tenant } from '../tenants/tenant.ts';
import { type ClientTarget } from './client-texts.ts';

/** Every server of a tenant as a client reaches it; `url` is that of `/mcp`. */
export function targetsOf(tenant: Tenant, url: string, key: string): ClientTarget[] {
  const names = [...tenant.servers.keys()];
  if (names.length <= 1) return [{ name: tenant.id, url, key }];
  return names.map((name) => ({
    name: `${tenant.id}-${name}`,
    url: `${url}/${encodeURIComponent(name)}`,
    key,
  }));
}

/** The URL of `/mcp` for clients on this machine: an address that means "all of them" is none to connect to. */
export function localUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/mcp`;
}
