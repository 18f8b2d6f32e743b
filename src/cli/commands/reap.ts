import { counted } from '../../text/plain-text.ts';
import { type WorkerReport } from '../../admin/actions.ts';
import { askProxy } from '../ask.ts';

import { type ExitCode, type Terminal } from '../terminal.ts';

interface ReapOptions {
  readonly config: string;
  readonly tenant: string | undefined;
}

export function reap(terminal: Terminal, { config, tenant }: ReapOptions): Promise<ExitCode> {
  return askProxy(terminal, config, async (admin) => {
    const path = tenant === undefined ? '/v1/reap' : `/v1/reap/${encodeURIComponent(tenant)}`;
    const { workers } = (await admin.post(path)) as WorkerReport;
    terminal.out(`Cleaned up ${counted(workers, 'idle worker')}\n`);
    return 0;
  });
}
