import { pino, type DestinationStream } from 'pino';
import { clean, maxFieldChars, maxLongChars } from './clean.ts';
import { textLine } from './text-format.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'json' | 'text';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  /** Asked once by listeners, so that what is off costs nothing. */
  isOn(level: Exclude<LogLevel, 'silent'>): boolean;
  write(level: Exclude<LogLevel, 'silent'>, message: string, fields: LogFields): void;
  /** What is still in memory goes out now; for the last lines of a life. */
  flush(): void;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  /** Sees every text before it is written, and takes secrets out of it. */
  readonly redact?: (text: string) => string;
  /** Where lines go; stderr unless told, because stdout belongs to what a command prints. */
  readonly destination?: DestinationStream;
}

/** More than this waiting for a stuck stderr is dropped: a full pipe must not stop the proxy or eat its memory. */
const maxWaitingBytes = 4 * 1024 ** 2;

const asItIs = (text: string): string => text;

/** One line per state change, JSON or text. The only place that knows pino. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'json', redact = asItIs } = options;
  const out = options.destination ?? pino.destination({ dest: 2, sync: false, maxLength: maxWaitingBytes });
  const sink = format === 'json' ? out : asText(out);
  const inner = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return {
    isOn: (asked) => inner.isLevelEnabled(asked),
    write(at, message, fields) {
      if (!inner.isLevelEnabled(at)) return;
      inner[at](cleanFields(fields, redact), clean(redact(message), maxFieldChars));
    },
    flush() {
      if ('flushSync' in out && typeof out.flushSync === 'function')
        flushQuietly(out as { flushSync(): void });
    },
  };
}

function asText(out: DestinationStream): DestinationStream {
  return {
    write(line) {
      out.write(textLine(line));
    },
  };
}

/** Names of the proxy's own, which are no secrets even where a variable has the same value. */
const ownNames = new Set(['event', 'tenant', 'server', 'generation', 'requestId', 'outcome']);

const longFields = new Set(['stderrTail', 'stack', 'isolationReason']);

function cleanFields(fields: LogFields, redact: (text: string) => string): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const max = longFields.has(name) ? maxLongChars : maxFieldChars;
    // Redacted before it is cut, or the first half of a secret would slip through.
    const isOwn = ownNames.has(name);
    cleaned[name] =
      typeof value === 'string' ? clean(isOwn ? value : redact(value), max, name === 'stderrTail') : value;
  }
  return cleaned;
}

/** A stderr that is closed, or not open yet, is no reason to fail while stopping. */
function flushQuietly(out: { flushSync(): void }): void {
  try {
    out.flushSync();
  } catch {
    // nowhere left to say it
  }
}
