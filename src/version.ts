import { readFileSync } from 'node:fs';

/** The version in package.json, said in the handshake, in `proxy --version` and in status. */
export const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
