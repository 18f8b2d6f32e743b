import { createServer } from 'node:net';
import { socketPathTrouble } from '../admin/socket-path.ts';
import type { Problem } from '../yaml/problem.ts';
import type { SoundConfig } from './load-config.ts';

/** What the configuration asks for and this machine cannot give, so that the proxy would not start here. Leaves nothing open. */
export async function machineProblems({ config, placeOf }: SoundConfig): Promise<readonly Problem[]> {
  const { admin, listen } = config;
  const troubles = [
    { path: ['listen', 'host'] as const, message: await hostTrouble(listen.host) },
    { path: ['admin', 'socket'] as const, message: socketPathTrouble(admin.socket) },
  ];
  return troubles.flatMap(({ path, message }) =>
    message === undefined ? [] : [{ ...placeOf(path), code: 'INVALID_SETTING' as const, message }],
  );
}

/** Found out by asking for a free port there, for names and networks are the system's to know. */
function hostTrouble(host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: { code?: string }) => {
      const words = hostWords(host, code);
      resolve(
        words && `listen.host: ${words}; 127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses`,
      );
    });
    probe.listen({ host, port: 0 }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}

/** Why nobody can listen at `host`, by the system's code for it; undefined if it is not about the address. */
export function hostWords(host: string, code: string | undefined): string | undefined {
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${host} is no address, and no name that is known here`;
  return undefined;
}
