/** Shorter values (`true`, `8080`) are no secrets, and masking them would make every text unreadable. */
export const minSecretChars = 6;

const trivial: readonly RegExp[] = [
  // A word, such as `production`; no password that is worth its name.
  /^[a-z]{1,12}$/i,
  // A port, a year, a number of milliseconds, `30s`.
  /^\d{1,7}[a-z]{0,3}$/i,
  // `v1.25.2`, `127.0.0.1:8080`
  /^v?\d+(?:\.\d+)+(?::\d+)?$/i,
  /^localhost(?::\d+)?$/i,
  // A path, or an address without anybody's name in it.
  /^\.{0,2}\/[\w./-]*$/,
  /^https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/i,
];

/** Is this, of a value that need not be a credential, nothing that has to be hidden? */
export const isTrivial = (text: string): boolean => trivial.some((pattern) => pattern.test(text));
