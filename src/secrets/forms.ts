/** The ways in which a secret turns up in text that others wrote. Each is looked for as it stands. */
export function formsOf(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret);
  return new Set([
    secret,
    ...linesOf(secret),
    ...jsonForms(secret),
    // By way of the bytes, because half of a surrogate pair cannot be encoded.
    ...urlForms(bytes.toString('utf8')),
    ...base64Forms(bytes),
    ...hexForms(bytes),
    Array.from(secret).reverse().join(''),
  ]);
}

/** A key file that is printed line by line. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/);
  return lines.length > 1 ? lines.map((line) => line.trim()) : [];
}

/** As JavaScript writes it, as Python does (no letter beyond ASCII), as PHP does (`\/`); and JSON within JSON. */
function jsonForms(secret: string): string[] {
  const json = quoted(secret);
  const ascii = json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [json, ascii, json.replaceAll('/', '\\/'), quoted(json), quoted(ascii)];
}

const quoted = (text: string) => JSON.stringify(text).slice(1, -1);

/** `encodeURIComponent`, RFC 3986 to the letter, a form's `+`, a path's `/`; escapes in capitals or not. */
function urlForms(text: string): string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const form = new URLSearchParams([['', text]]).toString().slice(1);
  const all = [component, strict, form, strict.replaceAll('%2F', '/'), encodeURI(text)];
  return all.flatMap((each) => [each, each.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())]);
}

function hexForms(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  const pairs = hex.match(/../g) ?? [];
  // `<Buffer 61 62 …>`, as Node prints bytes, and `61:62`.
  return [hex, hex.toUpperCase(), pairs.join(' '), pairs.join(':')];
}

/** How wide `base64` and PEM files are. */
const base64Columns = [76, 64];

/** Inside a longer base64 text a secret begins at one of three places; the outermost letters then depend on its neighbours. */
function base64Forms(bytes: Buffer): string[] {
  const whole = bytes.toString('base64');
  const forms = [whole, bytes.toString('base64url')];
  for (const columns of base64Columns) {
    for (let at = 0; at < whole.length && whole.length > columns; at += columns)
      forms.push(whole.slice(at, at + columns));
  }
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const skipped = Math.ceil((shift * 8) / 6);
    const sure = Math.floor((shifted.length * 8) / 6);
    for (const encoding of ['base64', 'base64url'] as const)
      forms.push(shifted.toString(encoding).slice(skipped, sure));
  }
  return forms;
}
