import type { Piece } from './references.ts';
import { parseReferences } from './references.ts';
import { Secret, type Sensitive } from './secret.ts';
import { isCredentialName } from './secret-names.ts';
import type { Found, Trouble } from './found.ts';
import type { TenantSecrets } from './sources.ts';

export type Resolved =
  | { readonly ok: true; readonly secret: Secret }
  /** What is wrong, in words that hold no value; never empty. */
  | { readonly ok: false; readonly troubles: readonly Trouble[] };

const spelling =
  'write ${NAME}, ${NAME:default}, ${file:/path} or ${vault:NAME}; for a plain "${" write "$${"';

/**
 * The value of a server's variable with its references filled in. A variable that is set to nothing is set. What comes
 * out of a reference is not looked at again, so a secret with `${` in it stays as it is.
 */
export function resolveValue(name: string, text: string, from: TenantSecrets): Resolved {
  const pieces = parseReferences(text);
  if (!pieces)
    return { ok: false, troubles: [{ code: 'INVALID_SETTING', message: `env.${name}: ${spelling}` }] };
  const unset = new Set<string>();
  const found = pieces.map((piece) => find(piece, from, unset));
  const troubles = [...missingVariables(unset), ...found.flatMap(troubleOf)];
  if (troubles.length > 0) return { ok: false, troubles };
  const values = found.map((each) => (each.ok ? each.value : ''));
  return { ok: true, secret: secretOf(name, pieces, values) };
}

/** A variable that is not set goes into `unset`, to be told of together with the others. */
function find(piece: Piece, from: TenantSecrets, unset: Set<string>): Found {
  if (piece.kind === 'text') return { ok: true, value: piece.text };
  if (piece.kind === 'file') return from.file(piece.path);
  if (piece.kind === 'vault') return from.vault(piece.name);
  const value = from.variable(piece.name) ?? piece.fallback;
  if (value === undefined) unset.add(piece.name);
  return { ok: true, value: value ?? '' };
}

const troubleOf = (found: Found): readonly Trouble[] => (found.ok ? [] : [found.trouble]);

function missingVariables(unset: ReadonlySet<string>): Trouble[] {
  if (unset.size === 0) return [];
  const names = [...unset].join(', ');
  const message = `${names} is not set where the proxy runs; set it, or write a default: \${NAME:default}`;
  return [{ code: 'MISSING_VARIABLE', message }];
}

/** What of the value must not be seen: all of it, each part that came out of a reference, and a password in a URL. */
function secretOf(name: string, pieces: readonly Piece[], values: readonly string[]): Secret {
  const value = values.join('');
  const isCredential = isCredentialName(name) || (pieces.length === 1 && isKept(pieces[0]));
  const sensitive: Sensitive[] = [{ text: value, isCredential }];
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'text' || pieces.length === 1) continue;
    const isSure = piece.kind === 'variable' ? isCredentialName(piece.name) : true;
    sensitive.push({ text: values[index] ?? '', isCredential: isSure });
  }
  const password = passwordIn(value);
  if (password !== undefined) sensitive.push({ text: password, isCredential: true });
  return new Secret(value, sensitive);
}

/** Nobody mounts a file or fills a vault for what may be seen. */
const isKept = (piece: Piece | undefined) => piece?.kind === 'file' || piece?.kind === 'vault';

/** `postgres://user:password@host`: servers print it without the rest, and decoded. */
export function passwordIn(value: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:([^\s/?#]+)@/i.exec(value)?.[1];
}
