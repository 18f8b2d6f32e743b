import { loadConfig, type Config } from '../config/load-config.ts';
import { problemLines } from './problems.ts';
import { type Terminal } from './terminal.ts';

/** The configuration, or its problems on stderr and undefined. */
export function readConfig(terminal: Terminal, file: string): Config | undefined {
  const loaded = loadConfig(file);
  if ('config' in loaded) return loaded.config;
  terminal.err(problemLines(loaded.problems));
  return undefined;
}
