import { counted } from '../../text/plain-text.ts';
import { type Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { machineProblems } from '../../config/on-this-machine.ts';
import { readTenantFile } from '../../tenants/tenant-file.ts';
import { placeOfServer } from '../../tenants/warnings/tenant-warnings.ts';
import { type Tenant } from '../../tenants/tenant.ts';
import { type Problem, type Warning } from '../../yaml/problem.ts';
import { warningsFor } from '../check-warnings.ts';
import { commandTrouble, type ServerTrouble } from '../find-command.ts';
import { networkTrouble } from '../network-trouble.ts';
import { problemLines, warningLines } from '../problems.ts';
import { readTenants } from '../read-tenants.ts';
import { type ExitCode, type Terminal } from '../terminal.ts';

interface CheckOptions {
  readonly config: string;
  readonly json?: boolean;
  /** Warnings count as problems do. */
  readonly strict?: boolean;
}
interface Findings {
  readonly tenants: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

/** Reads everything, starts nothing. */
export async function check(terminal: Terminal, options: CheckOptions): Promise<ExitCode> {
  const { tenants, problems, warnings } = await findings(options.config);
  const ok = problems.length === 0 && (options.strict !== true || warnings.length === 0);
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ ok, tenants, problems, warnings }, null, 2)}\n`);
  } else {
    terminal.out(problemLines(problems) + warningLines(warnings));
    const verdict =
      problems.length === 0 ? 'no problem found' : `${counted(problems.length, 'problem')} found`;
    const warned = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
    terminal.out(`${counted(tenants, 'tenant')}, ${verdict}${warned}\n`);
  }
  return ok ? 0 : 1;
}

async function findings(configFile: string): Promise<Findings> {
  const loaded = loadConfig(configFile);
  if (!('config' in loaded)) return { tenants: 0, problems: loaded.problems, warnings: [] };
  const { tenants, problems } = await readTenants(loaded.config, process.env);
  return {
    tenants: tenants.length,
    problems: [...(await machineProblems(loaded)), ...problems, ...serverProblems(tenants, loaded.config)],
    warnings: warningsFor(configFile, loaded.config, process.env),
  };
}

/** What would keep a server from being started. A disabled tenant's is not started, so it may be missing. */
function serverProblems(tenants: readonly Tenant[], config: Config): Problem[] {
  return tenants
    .filter(({ enabled }) => enabled)
    .flatMap((tenant) =>
      [...tenant.servers.values()].flatMap((spec): Problem[] => {
        const troubles = [commandTrouble(spec), networkTrouble(spec, config)];
        return troubles.flatMap((trouble) => {
          if (trouble === undefined) return [];
          const message = `server ${spec.name}: ${trouble.message}`;
          return [{ ...placeIn(tenant.file, spec.name, trouble.key), code: 'INVALID_SETTING', message }];
        });
      }),
    );
}

function placeIn(file: string, server: string, key: ServerTrouble['key']) {
  const content = readTenantFile(file, file);
  const place = 'text' in content ? placeOfServer(content.text, server, key) : undefined;
  return { file, ...(place ?? { line: 0, column: 0 }) };
}
