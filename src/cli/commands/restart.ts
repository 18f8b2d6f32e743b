import { counted } from '../../text/plain-text.ts';
import { type WorkerReport } from '../../admin/actions.ts';
import { askProxy } from '../ask.ts';

import { type ExitCode, type Terminal } from '../terminal.ts';

interface RestartOptions {
  readonly config: string;
  readonly tenant: string;
}

export function restart(terminal: Terminal, { config, tenant }: RestartOptions): Promise<ExitCode> {
  return askProxy(terminal, config, async (admin) => {
    const path = `/v1/tenants/${encodeURIComponent(tenant)}/restart`;
    const { workers } = (await admin.post(path)) as WorkerReport;
    terminal.out(
      workers > 0
        ? `Restarting ${counted(workers, 'worker')} of ${tenant}; calls in flight finish first\n`
        : `${tenant} has no worker now; the next call starts one\n`,
    );
    return 0;
  });
}
