import { type Tenant } from '../tenants/tenant.ts';
import { type ClientTarget } from './client-texts.ts';

/** Every server of a tenant as a client reaches it; `url` is that of `/mcp`. */
export function targetsOf(tenant: Tenant, url: string, key: string): ClientTarget[] {
  const names = [...tenant.servers.keys()];
  return names.map((name) =>
    // It answers at the plain URL too, which is what people expect of it.
    name === 'default' || names.length === 1
      ? { name: tenant.id, url, key }
      : { name: `${tenant.id}-${name}`, url: `${url}/${encodeURIComponent(name)}`, key },
  );
}

/** The URL of `/mcp` for clients on this machine: an address that means "all of them" is none to connect to. */
export function localUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/mcp`;
}
