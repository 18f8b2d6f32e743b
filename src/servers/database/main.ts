import { serve } from '../kit/serve.ts';
import { environment } from './environment.ts';
import { securityReporter } from './security-report.ts';

/**
 * One tenant's PostgreSQL database as an MCP server: which tables there are, and one SELECT at a time over one of them.
 * The role it logs in with is the wall; everything else here keeps queries from leaning on it.
 */
await serve({
  card: {
    name: 'database',
    title: 'Tenant database',
    version: '1.0.0',
    instructions:
      'Read-only access to one tenant’s PostgreSQL database. list_tenant_resources gives the URIs of tables and views, the ' +
      'resource of that URI their columns, query_tenant_data runs one SELECT over it.',
    hasResources: true,
  },
  environment,
  async open({ settings: raw, log, redact, clock }) {
    const [{ readSettings }, { openDatabase }, { databaseTools }, { databaseResources }] = await Promise.all([
      import('./settings.ts'),
      import('./database.ts'),
      import('./tools.ts'),
      import('./resources.ts'),
    ]);
    const { database: settings, secrets, variables } = await readSettings(raw, process.env);
    for (const secret of secrets) redact.add(secret);
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    const report = securityReporter(redact, (line) => void process.stderr.write(line));
    const broken = (): void => {
      log.error(
        'parser.broken',
        'The SQL parser failed; this process ends, and a new one begins with a sound parser',
      );
      // The answer goes out first.
      setImmediate(() => process.kill(process.pid, 'SIGTERM'));
    };
    const database = openDatabase({ settings, log, clock, report, broken });
    return { tools: databaseTools(database), resources: databaseResources(database) };
  },
});
