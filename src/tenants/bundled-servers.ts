import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Programs of their own that come with the proxy: `servers/<name>/main`, in what is built and in the sources. */
const folder = path.resolve(import.meta.dirname, '../servers');
const ending = path.extname(import.meta.filename);

/** Their names, in order. */
export function bundledServers(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => mainOf(name) !== undefined)
    .sort();
}

/** What node is to run for the server of this name; undefined if there is none. */
export function bundledProgram(name: string): string | undefined {
  // Found among what is there rather than made from the name, which may hold anything.
  return readdirSync(folder).includes(name) ? mainOf(name) : undefined;
}

function mainOf(name: string): string | undefined {
  const file = path.join(folder, name, `main${ending}`);
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? file : undefined;
}
