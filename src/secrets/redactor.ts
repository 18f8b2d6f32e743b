/** Shorter values (`true`, `8080`) are no secrets, and masking them would make the text unreadable. */
const minSecretChars = 6;
const mask = '[REDACTED]';

/**
 * Masks secrets in a text that somebody else wrote, such as a server's last words: as they are, and as they look
 * in JSON, in a URL, in base64 and in hex.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < minSecretChars) continue;
    for (const form of formsOf(secret)) if (form.length >= minSecretChars) forms.add(form);
  }
  // Longest first: of two secrets where one begins with the other, no tail may be left standing.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((masked, form) => masked.replaceAll(form, mask), text);
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const lines = secret.split(/\r?\n/);
  return [
    secret,
    // A key file printed line by line.
    ...(lines.length > 1 ? lines : []),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(bytes.toString('utf8')),
    ...base64Forms(bytes),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
}

/** Inside a longer base64 text a secret begins at one of three places; the outermost letters then depend on its neighbours. */
function base64Forms(bytes: Buffer): string[] {
  const forms = [bytes.toString('base64'), bytes.toString('base64url')];
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const skipped = Math.ceil((shift * 8) / 6);
    const sure = Math.floor((shifted.length * 8) / 6);
    for (const encoding of ['base64', 'base64url'] as const)
      forms.push(shifted.toString(encoding).slice(skipped, sure));
  }
  return forms;
}
