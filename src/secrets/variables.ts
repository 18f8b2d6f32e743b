/** What `${NAME}` stands for; undefined if it is not set. In the proxy, its own environment. */
export type Lookup = (name: string) => string | undefined;

export type Resolved =
  | { readonly ok: true; readonly value: string }
  /** `names`: variables that are not set and have no default; empty where the spelling is wrong. */
  | { readonly ok: false; readonly names: readonly string[] };

/** `${NAME}`, `${NAME:default}`, or `$${` for a plain `${`. A default goes up to the first `}`. */
const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}|\$\{/g;

/**
 * A text with its references to variables filled in. A variable that is set to nothing is set. What comes out of
 * a variable is not looked at again, so a secret with `${` in it stays as it is.
 */
export function resolveVariables(text: string, lookup: Lookup): Resolved {
  const missing = new Set<string>();
  const isMisspelt = [...text.matchAll(reference)].some(([whole]) => whole === '${');
  const value = text.replace(reference, (whole: string, name?: string, fallback?: string) => {
    if (whole === '$${') return '${';
    if (name === undefined) return '';
    const found = lookup(name);
    if (found === undefined && fallback === undefined) missing.add(name);
    return found ?? fallback ?? '';
  });
  if (isMisspelt) return { ok: false, names: [] };
  return missing.size > 0 ? { ok: false, names: [...missing] } : { ok: true, value };
}
