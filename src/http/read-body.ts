import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../calls/error.ts';

/**
 * The whole body, at most `maxBytes` of it.
 * @throws {ProxyError} TOO_LARGE, or INVALID_REQUEST if the client went away before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      // Off, so that what is still to come is thrown away and not counted.
      request.off('data', take).pause();
      reject(tooLarge(maxBytes));
    };
    request.on('data', take);
    request.once('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks, size));
    });
    request.once('error', () => {
      reject(new ProxyError('INVALID_REQUEST', 'The body ended early'));
    });
  });
}

export function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError('TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed here`);
}
