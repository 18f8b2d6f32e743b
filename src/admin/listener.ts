import { chmodSync, existsSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { type Actions } from './actions.ts';
import { createRoutes } from './routes.ts';
import { socketPathTrouble } from './socket-path.ts';

export interface AdminListener {
  readonly socket: string;
  /** Ends open questions and takes the socket away. */
  close(): Promise<void>;
}

/** The socket cannot be had; `message` says which, why and what to do. */
export class AdminSocketError extends Error {
  override readonly name = 'AdminSocketError';
}

/** Opens the operator's door: HTTP over a unix socket that only this user can open. */
export async function openAdminListener(socket: string, actions: Actions): Promise<AdminListener> {
  const file = path.resolve(socket);
  requireShort(file);
  prepareFolder(path.dirname(file));
  await clearStale(file);
  const server = createServer(
    // A question is one line: whoever is slower than this is stuck.
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    createRoutes(actions),
  );
  server.maxConnections = 64;
  await listenPrivately(server, file);
  // The admin door alone is no reason to stay alive.
  server.unref();
  return { socket: file, close: () => close(server, file) };
}

function requireShort(file: string): void {
  const trouble = socketPathTrouble(file);
  if (trouble !== undefined) throw new AdminSocketError(trouble);
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new AdminSocketError(`cannot make the folder of admin.socket, ${folder}: ${wordsOf(thrown)}`);
  }
}

/** A proxy that was killed leaves its socket behind; one that lives answers, and is left alone. */
async function clearStale(file: string): Promise<void> {
  if (!existsSync(file)) return;
  if (!statSync(file).isSocket()) {
    throw new AdminSocketError(
      `admin.socket ${file} is there and is not a socket; move it or set another path`,
    );
  }
  if (await isAnswered(file)) {
    throw new AdminSocketError(
      `another proxy is running here: it answers on ${file}; stop it, or set another admin.socket`,
    );
  }
  try {
    unlinkSync(file);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return;
    throw new AdminSocketError(`cannot remove the old admin.socket ${file}: ${wordsOf(thrown)}`);
  }
}

function isAnswered(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(file);
    const settle = (answered: boolean): void => {
      probe.destroy();
      resolve(answered);
    };
    // Anything but a refusal (no permission, backlog full) may be a live one: not ours to remove.
    probe.setTimeout(1_000, () => {
      settle(true);
    });
    probe.once('connect', () => {
      settle(true);
    });
    probe.once('error', (error) => {
      settle(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)));
    });
  });
}

/**
 * `listen` binds before it returns, so the umask needs to hold for this one call only,
 * and there is no moment in which another user could open the socket.
 */
function listenPrivately(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown): void => {
      reject(new AdminSocketError(`cannot listen on admin.socket ${file}: ${wordsOf(thrown)}`));
    };
    server.once('error', fail);
    const restore = narrowUmask();
    try {
      server.listen(file);
    } finally {
      restore();
    }
    server.once('listening', () => {
      server.off('error', fail);
      const trouble = makePrivate(file);
      if (trouble === undefined) {
        resolve();
        return;
      }
      server.close();
      fail(trouble);
    });
  });
}

/** For worker threads, where the umask cannot be set. Returns what hinders it, if something does. */
function makePrivate(file: string): unknown {
  try {
    chmodSync(file, 0o600);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function narrowUmask(): () => void {
  try {
    const before = process.umask(0o177);
    return () => {
      process.umask(before);
    };
  } catch {
    return () => undefined;
  }
}

async function close(server: Server, file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
  // Node has removed it already, unless somebody renamed things meanwhile.
  if (existsSync(file) && !(await isAnswered(file))) unlinkSync(file);
}

const codeOf = (thrown: unknown): string => (thrown as { code?: string }).code ?? '';
const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
