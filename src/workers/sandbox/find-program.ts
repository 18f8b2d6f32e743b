import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** Where a program is, or the system's word for why it cannot be started. */
export type FoundProgram = { readonly file: string } | { readonly cause: string };

/** Found as the system would find it: a bare name in PATH, a path from `cwd`. */
export function findProgram(command: string, searched: string, cwd: string): FoundProgram {
  if (command.includes('/')) return lookAt(path.resolve(cwd, command));
  let cause = 'ENOENT';
  for (const folder of searched.split(':')) {
    const found = lookAt(path.resolve(cwd, folder, command));
    if ('file' in found) return found;
    if (found.cause === 'EACCES') cause = 'EACCES';
  }
  return { cause };
}

/** Where a process is to start must be there, or the system would blame the program. */
export function folderTrouble(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : 'ENOTDIR';
  } catch (thrown) {
    return codeOf(thrown);
  }
}

function lookAt(file: string): FoundProgram {
  try {
    if (!statSync(file).isFile()) return { cause: 'EACCES' };
    accessSync(file, constants.X_OK);
    return { file };
  } catch (thrown) {
    return { cause: codeOf(thrown) };
  }
}

function codeOf(thrown: unknown): string {
  return (thrown as { code?: string }).code ?? 'ENOENT';
}
