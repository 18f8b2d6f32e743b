import { checkIsolation, type Finding, type IsolationReport } from '../../check.ts';
import { counted, plainText } from '../../text/plain-text.ts';
import { readConfig } from '../read-config.ts';
import { type Cell, type Column, paint, table, type TableOptions } from '../table.ts';
import { type ExitCode, type Terminal } from '../terminal.ts';

interface IsolationCheckOptions {
  readonly config: string;
  readonly json?: boolean;
}

const columns: readonly Column[] = [
  { title: 'A HOSTILE SERVER TRIED TO' },
  { title: 'IT' },
  { title: 'PROMISED' },
  { title: 'VERDICT' },
  { title: 'HOW' },
];

/** Fails if the wall in force does not keep what it promises; what it does not promise is told as it is. */
export async function isolationCheck(terminal: Terminal, options: IsolationCheckOptions): Promise<ExitCode> {
  const config = readConfig(terminal, options.config);
  if (config === undefined) return 1;
  let report: IsolationReport;
  try {
    report = await checkIsolation(config);
  } catch (thrown) {
    terminal.err(`proxy: ${plainText(thrown instanceof Error ? thrown.message : String(thrown))}\n`);
    return 1;
  }
  const broken = report.findings.filter(isBroken);
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ ok: broken.length === 0, ...report }, null, 2)}\n`);
  } else {
    terminal.out(reportText(report, { colours: terminal.colours, width: terminal.width() }));
  }
  return broken.length > 0 ? 1 : 0;
}

const isBroken = ({ promised, reached }: Finding): boolean => promised && reached;

function reportText({ isolation, findings }: IsolationReport, options: TableOptions): string {
  const { tier, reason, cgroups, cgroupsReason } = isolation;
  const broken = findings.filter(isBroken).length;
  const open = findings.filter(({ promised, reached }) => !promised && reached).length;
  const kept = findings.filter(({ promised }) => promised).length - broken;
  const said = (what: string, why: string | undefined): string =>
    why === undefined ? '' : `${paint(`${what}: ${plainText(why)}`, 'yellow', options.colours)}\n`;
  const advice = `${said('no stronger wall', reason)}${said('no cgroups, or not all', cgroupsReason)}`;
  const sum = `${counted(kept, 'promise')} kept, ${broken} broken; ${open} not promised and reached`;
  return `isolation: ${tier}\ncgroups: ${cgroups ?? 'none'}\n${advice}\n${table(columns, findings.map(rowOf), options)}\n${sum}\n`;
}

function rowOf({ what, reached, promised, detail }: Finding): Cell[] {
  return [
    { text: what },
    { text: reached ? 'could' : 'could not' },
    { text: promised ? 'yes' : 'no', colour: 'dim' },
    verdictOf(reached, promised),
    { text: detail, colour: 'dim' },
  ];
}

function verdictOf(reached: boolean, promised: boolean): Cell {
  if (!reached) return { text: 'pass', colour: 'green' };
  return promised ? { text: 'FAIL', colour: 'red' } : { text: 'open', colour: 'yellow' };
}
