import { type Status } from '../../admin/status.ts';
import { type AdminClient } from '../admin-client.ts';
import { askProxy } from '../ask.ts';
import { statusView } from '../status-view.ts';
import { type ExitCode, type Terminal } from '../terminal.ts';

interface StatusOptions {
  readonly config: string;
  readonly tenant: string | undefined;
  readonly json?: boolean;
  readonly watch?: boolean;
}

export function status(terminal: Terminal, options: StatusOptions): Promise<ExitCode> {
  return askProxy(terminal, options.config, (admin) =>
    options.watch === true ? watch(terminal, admin, options) : once(terminal, admin, options),
  );
}

async function once(terminal: Terminal, admin: AdminClient, options: StatusOptions): Promise<ExitCode> {
  const document = narrowed((await admin.get('/v1/status')) as Status, options.tenant);
  if (options.tenant !== undefined && document.tenants.length === 0) {
    terminal.err(`no tenant ${options.tenant} here; see: proxy tenant list\n`);
    return 1;
  }
  terminal.out(
    options.json === true
      ? `${JSON.stringify(document, null, 2)}\n`
      : view(terminal, document, options.tenant),
  );
  return 0;
}

/** Redraws in place; where output is no terminal, one document or table after the other. */
async function watch(terminal: Terminal, admin: AdminClient, options: StatusOptions): Promise<ExitCode> {
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    while (!stop.signal.aborted) {
      const document = narrowed((await admin.get('/v1/status')) as Status, options.tenant);
      const text = options.json === true ? `${JSON.stringify(document)}\n` : view(terminal, document);
      terminal.out(terminal.width() === undefined ? text : inPlace(text));
      await pause(1_000, stop.signal);
    }
    return 0;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Who asks for one tenant wants to read all of its last error: then nothing is cut. */
function view(terminal: Terminal, document: Status, tenant?: string): string {
  const width = tenant === undefined ? terminal.width() : undefined;
  return statusView(document, { colours: terminal.colours, width });
}

/** Home, then line by line over the old picture, then clear what is left: no flicker. */
function inPlace(text: string): string {
  return `\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[J`;
}

function narrowed(document: Status, tenant: string | undefined): Status {
  if (tenant === undefined) return document;
  return { ...document, tenants: document.tenants.filter(({ id }) => id === tenant) };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
