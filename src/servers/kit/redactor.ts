/** Shorter values are no secrets, and masking them would make a text unreadable. */
const minSecretChars = 6;
const mask = '[REDACTED]';

/** Masks the secrets it knows in texts that leave the process: logs and errors. */
export interface Redactor {
  (text: string): string;
  /**
   * From now on this is masked too, such as a token that was just got. Once there are very many, the oldest of those that
   * were added are forgotten; what was known from the start never is.
   */
  add(secret: string): void;
}

/** Of what was added. */
const maxForms = 1_000;

/** As they are, and as they look in JSON, in a URL, in base64 and after `Basic`. */
export function createRedactor(secrets: Iterable<string> = []): Redactor {
  const given = new Set([...secrets].flatMap(formsOf));
  const added = new Set<string>();
  // Of two secrets where one begins with the other, no tail may be left standing.
  const sorted = () => [...given, ...added].sort((a, b) => b.length - a.length);
  let longestFirst = sorted();

  function add(secret: string): void {
    for (const form of formsOf(secret)) added.add(form);
    for (const form of added) {
      if (added.size <= maxForms) break;
      added.delete(form);
    }
    longestFirst = sorted();
  }

  const redact = (text: string): string =>
    longestFirst.reduce((masked, form) => masked.replaceAll(form, mask), text);
  return Object.assign(redact, { add });
}

function formsOf(secret: string): string[] {
  if (secret.length < minSecretChars) return [];
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(bytes.toString('utf8')),
    new URLSearchParams({ s: secret }).toString().slice(2),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
  return forms.filter((form) => form.length >= minSecretChars);
}
