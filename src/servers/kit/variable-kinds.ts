import type { Kind } from './environment.ts';

/** Could end a header or a log line early. */
const controlCharacter = /\p{Cc}/u;

export const text = (shape = 'a text'): Kind<string> => ({ shape, isSecret: false, read: oneLine });
/** Masked wherever it would be shown. */
export const secret = (): Kind<string> => ({ shape: 'a secret', isSecret: true, read: oneLine });

export const choice = <const Choice extends string>(choices: readonly Choice[]): Kind<Choice> => ({
  shape: choices.join(', '),
  isSecret: false,
  read(written) {
    const found = choices.find((each) => each.toLowerCase() === written.toLowerCase());
    if (found === undefined) throw new Error(`write one of ${choices.join(', ')}`);
    return found;
  },
});

export const flag = (): Kind<boolean> => ({
  shape: 'true or false',
  isSecret: false,
  read(written) {
    if (/^(true|1|yes|on)$/i.test(written)) return true;
    if (/^(false|0|no|off)$/i.test(written)) return false;
    throw new Error('write true or false');
  },
});

export const integer = (min: number, max: number): Kind<number> => ({
  shape: `a whole number from ${min} to ${max}`,
  isSecret: false,
  read(written) {
    const value = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`write a whole number from ${min} to ${max}`);
    return value;
  },
});

/** Names with commas or blanks between them. */
export const list = (shape = 'names with commas between them'): Kind<readonly string[]> => ({
  shape,
  isSecret: false,
  read: (written) =>
    oneLine(written)
      .split(/[\s,]+/)
      .filter((each) => each !== ''),
});

/** Encrypted, unless it stays on this machine. Without user, password and fragment. */
export const webUrl = (): Kind<URL> => ({
  shape: 'an https URL',
  isSecret: false,
  read(written) {
    const url = URL.canParse(written) ? new URL(written) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) throw new Error('write a URL that begins with https://');
    if (url.protocol === 'http:' && !isLoopback(url))
      throw new Error('write https://: credentials would travel in the clear');
    if (url.username !== '' || url.password !== '' || url.hash !== '')
      throw new Error('write the URL without user, password and #');
    return url;
  },
});

export const isLoopback = ({ hostname }: URL): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

function oneLine(written: string): string {
  if (controlCharacter.test(written))
    throw new Error('it has a line break or another control character in it');
  return written;
}
