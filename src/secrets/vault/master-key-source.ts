import { readRegularFile } from '../../files/read-regular-file.ts';
import { MasterKeyError, type MasterKeys, parseMasterKeys } from './master-key.ts';

/** Where the master key is: exactly one of these. */
export type MasterKeySource =
  | { readonly file: string }
  | { readonly env: string }
  /** A program and its arguments; what it prints on stdout is the key. The way to a KMS or an HSM. */
  | { readonly command: readonly [string, ...string[]] };

const maxKeyBytes = 64 * 1024;
/** An HSM over a network may take its time; one that hangs must not hold a reload for ever. */
const commandTimeoutMs = 20_000;

/** Fetch the master keys. @throws {MasterKeyError} */
export async function fetchMasterKeys(
  source: MasterKeySource,
  env: Readonly<Record<string, string | undefined>>,
): Promise<MasterKeys> {
  const bytes = await given(source, env);
  try {
    return parseMasterKeys(bytes);
  } catch (thrown) {
    if (!(thrown instanceof MasterKeyError)) throw thrown;
    throw new MasterKeyError(`What ${shownSource(source)} holds ${thrown.message}`);
  } finally {
    // The keys themselves are within KeyObjects by now.
    bytes.fill(0);
  }
}

/** How people know the source. */
export function shownSource(source: MasterKeySource): string {
  if ('file' in source) return `the file ${source.file}`;
  if ('env' in source) return `the variable ${source.env}`;
  return `the command ${source.command[0]}`;
}

async function given(
  source: MasterKeySource,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Buffer> {
  if ('file' in source) return fromFile(source.file);
  if ('command' in source) return fromCommand(source.command);
  const text = env[source.env];
  if (text !== undefined && text !== '') return Buffer.from(text, 'latin1');
  throw new MasterKeyError(
    `There is no master key: the variable ${source.env} is not set; set it to the output of "openssl rand -hex 32", the same here and where the proxy runs`,
  );
}

function fromFile(file: string): Buffer {
  const read = readRegularFile(file, maxKeyBytes);
  if (read.ok) return read.bytes;
  if (read.reason === 'ENOENT') {
    throw new MasterKeyError(
      `There is no master key: no file ${file}; put the key of this vault back there, or name another in secrets.masterKey`,
    );
  }
  throw new MasterKeyError(
    `The master key's file ${file} cannot be read: ${read.reason}; look at its owner and mode`,
  );
}

/** Without a shell. What it says on stderr is not told: it may be about the key. */
async function fromCommand([program, ...args]: readonly [string, ...string[]]): Promise<Buffer> {
  // Loaded by those who have such a command only: it is a hundred files.
  const { execa } = await import('execa');
  const { failed, timedOut, code, exitCode, signal, stdout } = await execa(program, args, {
    encoding: 'buffer',
    // Keys may come as bytes, and any of them may look like a line break.
    stripFinalNewline: false,
    timeout: commandTimeoutMs,
    maxBuffer: maxKeyBytes,
    stdin: 'ignore',
    // Signals are for the proxy to hear.
    cleanup: false,
    reject: false,
  });
  if (!failed) return Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const how = timedOut
    ? `took longer than ${commandTimeoutMs / 1000} s`
    : `failed (${exitCode ?? signal ?? code ?? 'unknown'})`;
  throw new MasterKeyError(
    `The command ${program} that fetches the master key ${how}; run it by hand as the proxy's user to see why`,
  );
}
