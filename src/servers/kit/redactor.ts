/** Shorter values are no secrets, and masking them would make a text unreadable. */
const minSecretChars = 6;
const mask = '[REDACTED]';

/** Masks the secrets it knows in texts that leave the process: logs and errors. */
export interface Redactor {
  (text: string): string;
  /** From now on this is masked too, such as a token that was just got. The oldest are forgotten once there are very many. */
  add(secret: string): void;
}

const maxForms = 1_000;

/** As they are, and as they look in JSON, in a URL, in base64 and after `Basic`. */
export function createRedactor(secrets: Iterable<string> = []): Redactor {
  const known = new Set<string>();
  let longestFirst: readonly string[] = [];

  function add(secret: string): void {
    for (const form of formsOf(secret)) {
      if (form.length >= minSecretChars) known.add(form);
    }
    for (const form of known) {
      if (known.size <= maxForms) break;
      known.delete(form);
    }
    // Of two secrets where one begins with the other, no tail may be left standing.
    longestFirst = [...known].sort((a, b) => b.length - a.length);
  }

  for (const secret of secrets) add(secret);
  const redact = (text: string): string =>
    longestFirst.reduce((masked, form) => masked.replaceAll(form, mask), text);
  return Object.assign(redact, { add });
}

function formsOf(secret: string): string[] {
  if (secret.length < minSecretChars) return [];
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(bytes.toString('utf8')),
    new URLSearchParams({ s: secret }).toString().slice(2),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}
