/**
 * Makes listeners in the network it was started in, and hands them to the keeper, which ends it. It runs between the
 * machine and a sandbox, before the server: see `room.ts`.
 */
import { createServer, type Server } from 'node:net';
import type { FromListeners } from './egress-messages.ts';

interface Place {
  readonly address: string;
  readonly port: number;
}

function tell(message: FromListeners, listener?: Server): Promise<void> {
  return new Promise((resolve) => process.send?.(message, listener, {}, () => resolve()));
}

function listening({ address, port }: Place): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address, port }, () => resolve(server));
  });
}

process.once('disconnect', () => process.exit());
try {
  const places = JSON.parse(process.argv[2] ?? '[]') as Place[];
  for (const [at, place] of places.entries()) await tell({ type: 'listener', at }, await listening(place));
} catch (thrown) {
  await tell({ type: 'failed', words: thrown instanceof Error ? thrown.message : 'unknown' });
}
