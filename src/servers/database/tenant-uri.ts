/** A table or view of a tenant's database. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
}

export type TenantUri =
  | { readonly kind: 'relation'; readonly relation: Relation }
  /** It names another tenant, or tries to leave this one's part of the tree. */
  | { readonly kind: 'foreign' }
  /** It is this tenant's or nobody's, and no table's. */
  | { readonly kind: 'malformed' };

/** What stands as it is in a URI; every other byte is percent-encoded, so that one table has one spelling. */
const plain = /^[A-Za-z0-9_-]$/;
const segment = String.raw`(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+`;
const grammar = new RegExp(`^mcp://([A-Za-z0-9_-]+)/database/table/(?:(${segment})\\.)?(${segment})$`);

/** Longer is no table's: two names of 63 bytes, each byte three characters, and what stands before them. */
const maxUriChars = 512;
/** PostgreSQL cuts longer identifiers off, and then two names are one. */
const maxNameBytes = 63;

/** What an unqualified table is taken to be in. */
export const defaultSchema = 'public';

/** `mcp://acme_01/database/table/customers`, or `…/sales.orders` outside the schema `public`. */
export function tenantUri(tenantId: string, { schema, name }: Relation): string {
  const qualifier = schema === defaultSchema ? '' : `${encodeName(schema)}.`;
  return `mcp://${tenantId}/database/table/${qualifier}${encodeName(name)}`;
}

/**
 * Reads a URI for the tenant this server runs for. A strict grammar, not `new URL()`, which resolves `/a/../b` and
 * `/%2e%2e/` away, splits off `user@` and a port, and so reads another URI than the one that was checked.
 */
export function readTenantUri(uri: string, tenantId: string): TenantUri {
  if (uri.length > maxUriChars) return { kind: leaves(uri.slice(0, maxUriChars), tenantId) };
  const match = grammar.exec(uri);
  if (match?.[1] !== tenantId) return { kind: leaves(uri, tenantId) };
  const schema = match[2] === undefined ? defaultSchema : decodeName(match[2]);
  const name = decodeName(match[3] ?? '');
  if (schema === undefined || name === undefined) return { kind: 'malformed' };
  const relation = { schema, name };
  // One spelling only: `public.customers` and `%63ustomers` are not the URI that was listed.
  return tenantUri(tenantId, relation) === uri ? { kind: 'relation', relation } : { kind: 'malformed' };
}

/** What is not this tenant's URI is foreign if it names anybody else or tries to climb; else a slip of the pen. */
function leaves(uri: string, tenantId: string): 'foreign' | 'malformed' {
  const own = `mcp://${tenantId}/`;
  const hasScheme = /^[a-z][a-z0-9+.-]*:/i.test(uri);
  if (hasScheme && !uri.startsWith(own)) return 'foreign';
  const path = decodeAll(uri).replaceAll('\\', '/');
  return /(?:^|\/)\.\.?(?:\/|$)/.test(path) || path.startsWith('//') || path.includes('@')
    ? 'foreign'
    : 'malformed';
}

/** Undoes percent-encoding however often it was done, for looking only. */
function decodeAll(text: string): string {
  let decoded = text;
  for (let round = 0; round < 5; round++) {
    const next = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === decoded) break;
    decoded = next;
  }
  return decoded;
}

function encodeName(name: string): string {
  let encoded = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const char = String.fromCharCode(byte);
    encoded += plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Undefined where the bytes are no UTF-8, or no identifier of PostgreSQL. */
function decodeName(encoded: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  return name.includes('\0') || Buffer.byteLength(name) > maxNameBytes ? undefined : name;
}
