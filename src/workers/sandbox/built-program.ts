import { fileURLToPath } from 'node:url';

/** A program of this folder, built, also for tests that run the sources: Node reads no TypeScript. */
export function builtProgram(name: string): string {
  const isSource = import.meta.url.endsWith('.ts');
  const file = isSource ? `../../../dist/workers/sandbox/${name}.js` : `${name}.js`;
  return fileURLToPath(new URL(file, import.meta.url));
}
