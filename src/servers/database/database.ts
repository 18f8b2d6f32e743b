import { ToolFailure } from '../kit/failure.ts';
import { createLimiter } from '../kit/limiter.ts';
import type { Logger } from '../kit/logger.ts';
import { collectRows, type Collected } from './collect-rows.ts';
import { toDatabaseFailure } from './failures.ts';
import {
  type Column,
  findRelation,
  type FoundRelation,
  listColumns,
  listRelations,
  type ListOptions,
  mayWrite,
} from './relations.ts';
import { type SecurityReport } from './security-report.ts';
import { inSession, type Session } from './session.ts';
import type { DatabaseSettings } from './settings.ts';
import { loadParser, type Parser, ParserBroken } from './sql/parser.ts';
import { sealQuery } from './sql/seal-query.ts';
import { readTenantUri, type Relation } from './tenant-uri.ts';

export interface QueryOptions {
  readonly uri: string;
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly maxRows: number;
}

export interface RelationDetails {
  readonly relation: FoundRelation;
  readonly columns: readonly Column[];
}

/** One tenant's database, as its tools see it. All of them throw ToolFailure. */
export interface Database {
  readonly settings: DatabaseSettings;
  list(options: Omit<ListOptions, 'schemas'>, signal: AbortSignal): Promise<readonly FoundRelation[]>;
  describe(uri: string, signal: AbortSignal): Promise<RelationDetails>;
  query(options: QueryOptions, signal: AbortSignal): Promise<Collected>;
  serverVersion(signal: AbortSignal): Promise<string>;
}

export interface DatabaseParts {
  readonly settings: DatabaseSettings;
  readonly log: Logger;
  readonly report: (report: SecurityReport) => void;
  /** The parser can be trusted no more; the process must end. */
  readonly broken: () => void;
}

export function openDatabase({ settings, log, report, broken }: DatabaseParts): Database {
  const { schemas, limits } = settings;
  const limiter = createLimiter({ concurrency: limits.maxConnections });
  const adviseOnce = createAdvice(settings, log);
  let parser: Promise<Parser> | undefined;

  const ask = <Value>(signal: AbortSignal, work: (session: Session) => Promise<Value>): Promise<Value> =>
    limiter.run('the database', signal, () =>
      inSession(settings, signal, async (session) => {
        await adviseOnce(session);
        return work(session);
      }),
    );

  const seal = async ({ sql, maxRows }: QueryOptions, target: Relation): Promise<string> => {
    const { allowedRelations: beside, allowedFunctions: functions, allowedTypes: types } = settings;
    try {
      // One more row than asked for, to know whether there are more.
      return sealQuery(
        await (parser ??= loadParser()),
        sql,
        { target, beside, schemas, functions, types },
        maxRows + 1,
      );
    } catch (thrown) {
      if (thrown instanceof ParserBroken) broken();
      throw toDatabaseFailure(thrown);
    }
  };

  return {
    settings,
    list: (options, signal) => ask(signal, ({ client }) => listRelations(client, { ...options, schemas })),
    async describe(uri, signal) {
      const wanted = ownRelation(uri, settings.tenantId, report);
      return ask(signal, async ({ client }) => {
        const relation = await findRelation(client, schemas, wanted);
        return { relation, columns: await listColumns(client, relation) };
      });
    },
    async query(options, signal) {
      const target = ownRelation(options.uri, settings.tenantId, report);
      const text = await seal(options, target);
      return ask(signal, async (session) => {
        await findRelation(session.client, schemas, target);
        return collectRows(session, { text, values: options.values, maxRows: options.maxRows }, limits);
      });
    },
    serverVersion: (signal) => ask(signal, ({ serverVersion }) => Promise.resolve(serverVersion)),
  };
}

/** @throws {ToolFailure} FORBIDDEN, and somebody is told, for what is another tenant's; INVALID_INPUT. */
function ownRelation(uri: string, tenantId: string, report: (report: SecurityReport) => void): Relation {
  const read = readTenantUri(uri, tenantId);
  if (read.kind === 'relation') return read.relation;
  const form = `mcp://${tenantId}/database/table/NAME`;
  if (read.kind === 'malformed')
    throw new ToolFailure('INVALID_INPUT', `resource_uri must be ${form}, spelled as it was listed`, {
      hint: 'list_tenant_resources shows what there is',
    });
  const message = 'The URI is not of this tenant';
  report({ code: 'FORBIDDEN', message, subject: uri });
  throw new ToolFailure('FORBIDDEN', message, {
    hint: `URIs here begin with mcp://${tenantId}/; this was logged`,
  });
}

/** Says once, when the database is first asked, that its role could do more than it needs. */
function createAdvice({ schemas, allowWritableRole }: DatabaseSettings, log: Logger) {
  let isDue = !allowWritableRole;
  return async ({ client }: Session): Promise<void> => {
    if (!isDue) return;
    isDue = false;
    if (await mayWrite(client, schemas))
      log.warn(
        'role.writable',
        'The role of DB_USER may write. Queries run in a read-only transaction, but a role that may only SELECT is the ' +
          'firmer wall; DB_ALLOW_WRITABLE_ROLE=true ends this warning',
      );
  };
}
