import { ToolFailure } from '../kit/failure.ts';
import { type Clock } from '../kit/clock.ts';
import { createLimiter } from '../kit/limiter.ts';
import type { Logger } from '../kit/logger.ts';
import { collectRows, type Collected } from './collect-rows.ts';
import { toDatabaseFailure } from './failures.ts';
import { createQuota, type Quota, type QuotaUse } from './quota.ts';
import {
  type Column,
  findRelation,
  type FoundRelation,
  hiddenCalls,
  listColumns,
  listRelations,
  type ListOptions,
  mayWrite,
} from './relations.ts';
import { type SecurityReport } from './security-report.ts';
import { inSession, type Session } from './session.ts';
import type { DatabaseSettings } from './settings.ts';
import { loadParser, type Parser, ParserBroken } from './sql/parser.ts';
import { QueryRejected } from './sql/rejection.ts';
import { type SealedQuery, sealQuery } from './sql/seal-query.ts';
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
  /** What is used up of the tenant's quotas. */
  used(): QuotaUse;
  /** Whether that is counted over all of the tenant's processes. */
  usageScope(): 'tenant' | 'process';
}

export interface DatabaseParts {
  readonly settings: DatabaseSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly report: (report: SecurityReport) => void;
  /** The parser can be trusted no more; the process must end. */
  readonly broken: () => void;
}

export function openDatabase(parts: DatabaseParts): Database {
  const { settings, report } = parts;
  const { schemas, limits, tenantId } = settings;
  const ask = createAsking(parts);
  const seal = createSealing(parts);
  const quota = quotaOf(parts);

  return {
    settings,
    list: (options, signal) => ask(signal, ({ client }) => listRelations(client, { ...options, schemas })),
    async describe(uri, signal) {
      const wanted = ownRelation(uri, tenantId, report);
      return ask(signal, async ({ client }) => {
        const relation = await findRelation(client, schemas, wanted);
        return { relation, columns: await listColumns(client, relation) };
      });
    },
    async query(options, signal) {
      const target = ownRelation(options.uri, tenantId, report);
      const { text, fields, operators } = await seal(options, target);
      // What is refused so far was no query; what is asked counts, whatever comes of it.
      quota.take();
      const ofRows = [...fields].filter((name) => !settings.allowedFunctions.has(name));
      return ask(signal, async (session) => {
        await findRelation(session.client, schemas, target);
        const [hidden] = await hiddenCalls(session.client, schemas, {
          fields: ofRows,
          operators: [...operators],
        });
        if (hidden !== undefined)
          throw new QueryRejected(`${hidden} would call a function, which is not allowed here`);
        return collectRows(session, { text, values: options.values, maxRows: options.maxRows }, limits);
      });
    },
    used: () => quota.used(),
    usageScope: () => quota.scope(),
    serverVersion: (signal) => ask(signal, ({ serverVersion }) => Promise.resolve(serverVersion)),
  };
}

function quotaOf({ settings, log, clock }: DatabaseParts): Quota {
  const { folder, ...limits } = settings.quota;
  const onUnsaved = (reason: string): void =>
    log.warn('quota.unsaved', 'DB_QUOTA_FOLDER cannot be used, so each process counts queries for itself', {
      reason,
    });
  return createQuota({ limits, folder, wall: () => clock.wall(), onUnsaved });
}

type Ask = <Value>(signal: AbortSignal, work: (session: Session) => Promise<Value>) => Promise<Value>;

/** Questions at once are as many as there may be connections; the others wait. */
function createAsking({ settings, log }: DatabaseParts): Ask {
  const limiter = createLimiter({ concurrency: settings.limits.maxConnections });
  const adviseOnce = createAdvice(settings, log);
  return (signal, work) =>
    limiter.run('the database', signal, async () => {
      try {
        return await inSession(settings, signal, async (session) => {
          await adviseOnce(session);
          return work(session);
        });
      } catch (thrown) {
        // A client is told less: it has no business with hosts and ports.
        if (thrown instanceof ToolFailure && thrown.cause instanceof Error)
          log.warn('database.unreachable', thrown.cause.message, { code: thrown.code });
        throw thrown;
      }
    });
}

function createSealing({ settings, broken }: DatabaseParts) {
  const { schemas, allowedRelations: beside, allowedFunctions: functions, allowedTypes: types } = settings;
  let parser: Promise<Parser> | undefined;
  return async ({ sql, maxRows }: QueryOptions, target: Relation): Promise<SealedQuery> => {
    const loaded = await (parser ??= loadParser());
    try {
      // One more row than asked for, to know whether there are more.
      return sealQuery(loaded, sql, { target, beside, schemas, functions, types }, maxRows + 1);
    } catch (thrown) {
      if (thrown instanceof ParserBroken) broken();
      throw thrown instanceof QueryRejected ? toDatabaseFailure(thrown) : thrown;
    }
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
