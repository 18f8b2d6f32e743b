/** A piece of a text in which references may stand. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | undefined }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'vault'; readonly name: string };

/** What a secret in the vault may be called. */
export const secretNamePattern = /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * `$${` for a plain `${`, `${file:PATH}`, `${vault:NAME}`, `${NAME}` or `${NAME:default}`; each ends at the first `}`.
 * The last alternative is what is none of these.
 */
const reference =
  /(\$\$\{)|\$\{file:([^}]+)\}|\$\{vault:([^}]+)\}|\$\{(?!(?:file|vault)\b)([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}|\$\{/g;

/** A text taken apart at its references; undefined if one of them is misspelt. */
export function parseReferences(text: string): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  let done = 0;
  const plain = (added: string) => {
    if (added !== '') pieces.push({ kind: 'text', text: added });
  };
  for (const match of text.matchAll(reference)) {
    const piece = pieceOf(match);
    if (!piece) return undefined;
    plain(text.slice(done, match.index));
    pieces.push(piece);
    done = match.index + match[0].length;
  }
  plain(text.slice(done));
  return pieces;
}

function pieceOf([, escaped, path, vaultName, name, fallback]: RegExpMatchArray): Piece | undefined {
  if (escaped !== undefined) return { kind: 'text', text: '${' };
  if (path !== undefined) return { kind: 'file', path };
  if (vaultName !== undefined)
    return secretNamePattern.test(vaultName) ? { kind: 'vault', name: vaultName } : undefined;
  return name === undefined ? undefined : { kind: 'variable', name, fallback };
}
