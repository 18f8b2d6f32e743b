import { plainText } from '../../text/plain-text.ts';
import { type ReloadReport } from '../../admin/actions.ts';
import { type Status } from '../../admin/status.ts';
import { askProxy } from '../ask.ts';
import { problemLines } from '../problems.ts';

import { type ExitCode, type Terminal } from '../terminal.ts';

export function reload(terminal: Terminal, options: { readonly config: string }): Promise<ExitCode> {
  return askProxy(terminal, options.config, async (admin) => {
    const report = (await admin.post('/v1/reload')) as ReloadReport;
    const lines = [
      lineOf('added', report.added),
      lineOf('changed', report.changed),
      lineOf('removed', report.removed),
    ].filter((line) => line !== '');
    terminal.out(lines.length > 0 ? lines.join('') : 'Nothing changed\n');
    const { problems } = (await admin.get('/v1/status')) as Status;
    terminal.err(problemLines(problems));
    return problems.length > 0 ? 1 : 0;
  });
}

/** Names are useful while they fit on a line; of ten thousand the number is. */
const maxNamed = 20;

function lineOf(what: string, ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const more = ids.length > maxNamed ? `, and ${ids.length - maxNamed} more` : '';
  return `${what}: ${plainText(ids.slice(0, maxNamed).join(', '))}${more}\n`;
}
