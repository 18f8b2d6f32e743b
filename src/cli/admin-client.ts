import { request } from 'node:http';

/** Nobody answers on the admin socket: no proxy runs with this config. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning';
}
/** The proxy answered, and the answer was no. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Asks a running proxy through its admin socket. */
export interface AdminClient {
  get(path: string): Promise<unknown>;
  post(path: string): Promise<unknown>;
}

const maxAnswerMs = 60_000;

export function createAdminClient(socketPath: string): AdminClient {
  const ask = async (method: string, path: string): Promise<unknown> => {
    const { status, body } = await exchange(socketPath, method, path);
    const answer: unknown = parsed(body);
    if (status === 200) return answer;
    const { code = 'INTERNAL_ERROR', message = `HTTP ${status}` } = answer as {
      code?: string;
      message?: string;
    };
    throw new Refused(code, message);
  };
  return { get: (path) => ask('GET', path), post: (path) => ask('POST', path) };
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: maxAnswerMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
      response.on('error', reject);
    });
    asked.on('timeout', () => {
      asked.destroy(new Error(`the proxy did not answer within ${maxAnswerMs / 1000} s`));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      reject(explained(error, socketPath));
    });
    asked.end();
  });
}

function explained(error: NodeJS.ErrnoException, socketPath: string): Error {
  if (error.code === 'EACCES') return new NotRunning(`no permission to open the admin socket ${socketPath}`);
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new NotRunning(`proxy is not running here (socket ${socketPath}); start it with: proxy serve`);
  }
  return error;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error('what answers on the admin socket is not a proxy');
  }
}
