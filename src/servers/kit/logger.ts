import type { Redactor } from './redactor.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What else a line says; texts are cut and masked. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One JSON line on stderr per event; stdout belongs to the protocol. */
export interface Logger {
  debug(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  error(event: string, message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  /** The server's name, on every line. */
  readonly name: string;
  readonly level: LogLevel;
  readonly redact: Redactor;
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

const maxTextChars = 2_000;

export function createLogger({ name, level, redact, write, wall }: LoggerOptions): Logger {
  const least = logLevels.indexOf(level);
  const at = (own: LogLevel) => {
    const isOn = logLevels.indexOf(own) >= least;
    return (event: string, message: string, fields: LogFields = {}): void => {
      if (!isOn) return;
      const time = new Date(wall()).toISOString();
      const said = Object.entries(fields).map(([key, value]) => [key, plain(value)] as const);
      const line = {
        time,
        level: own,
        server: name,
        event,
        msg: plain(message),
        ...Object.fromEntries<unknown>(said),
      };
      // Masked last, over the whole line: a secret may stand in any of its parts.
      write(`${redact(JSON.stringify(line))}\n`);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Cut, and without what could move a terminal's cursor or forge a line. */
function plain<Value>(value: Value): Value | string {
  if (typeof value !== 'string') return value;
  return value.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, ' ').slice(0, maxTextChars);
}
