import { accessSync, constants, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { type ServerSpec } from '../workers/spec.ts';

/** Why a server could not be started, and which of its settings says so. */
export interface ServerTrouble {
  readonly key: 'command' | 'cwd' | 'sandbox';
  readonly message: string;
}

/** What is wrong with a server's command, or undefined; looked up as the system will when it starts it. */
export function commandTrouble(spec: Pick<ServerSpec, 'command' | 'cwd' | 'env'>): ServerTrouble | undefined {
  if (!isFolder(spec.cwd)) return { key: 'cwd', message: `cwd ${spec.cwd} is not a folder` };
  const message = programTrouble(spec);
  return message === undefined ? undefined : { key: 'command', message };
}

function programTrouble({
  command,
  cwd,
  env,
}: Pick<ServerSpec, 'command' | 'cwd' | 'env'>): string | undefined {
  if (command.includes('/')) return fileTrouble(path.resolve(cwd, command));
  const folders = (env['PATH']?.reveal() ?? process.env['PATH'] ?? '').split(path.delimiter);
  // An empty entry of PATH means the current folder, as it always has.
  const found = folders.map((folder) => path.resolve(cwd, folder, command)).filter(isFile);
  if (found.length === 0) return `command ${command} is not on PATH; install it, or write its full path`;
  return found.some((file) => fileTrouble(file) === undefined)
    ? undefined
    : `command ${command} is on PATH and may not be executed`;
}

function fileTrouble(file: string): string | undefined {
  if (!isFile(file)) return `command ${file} is not there`;
  try {
    accessSync(file, constants.X_OK);
    return undefined;
  } catch {
    return `command ${file} may not be executed; see chmod +x`;
  }
}

const isFile = (file: string): boolean => seen(file)?.isFile() ?? false;
const isFolder = (folder: string): boolean => seen(folder)?.isDirectory() ?? false;

function seen(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // A folder on the way that may not be entered: for us nothing is there.
    return undefined;
  }
}
