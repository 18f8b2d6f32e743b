import { Socket } from 'node:net';
import { Client } from 'pg';
import { ToolFailure } from '../kit/failure.ts';
import { timedOut, toDatabaseFailure } from './failures.ts';
import type { DatabaseSettings } from './settings.ts';
import { quoted } from './sql/check-query.ts';

/** A connection inside a read-only transaction, for one question. */
export interface Session {
  readonly client: Client;
  /** Ends the connection now, whatever the server is doing. */
  readonly cut: () => void;
  /** So far, over the wire. */
  readonly bytesRead: () => number;
  readonly serverVersion: string;
}

const connectMs = 5_000;
/** PostgreSQL stops a query itself; this is for a server that does not answer at all. */
const graceMs = 2_000;
/** How long a connection may take to close. */
const goodbyeMs = 1_000;
/** How soon the server notices that we have hung up, and stops the query. */
const noticeMs = 200;

/**
 * Opens a connection, begins a read-only transaction in it, and ends the connection afterwards: it is never used again,
 * so nothing that was set, locked or prepared in it outlives the question.
 * @throws {ToolFailure}
 */
export async function inSession<Value>(
  settings: DatabaseSettings,
  signal: AbortSignal,
  work: (session: Session) => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted();
  // Made here, so that it can be closed whatever state pg is in.
  const socket = new Socket();
  const client = new Client({ ...clientOptions(settings), stream: () => socket });
  const cut = (): void => void socket.destroy();
  const deadline = AbortSignal.timeout(connectMs + settings.limits.timeoutMs + graceMs);
  deadline.addEventListener('abort', cut, { once: true });
  signal.addEventListener('abort', cut, { once: true });
  // A connection that breaks while nobody waits for it is told to whoever asks next.
  client.on('error', () => undefined);
  let isConnected = false;
  try {
    await client.connect();
    isConnected = true;
    const serverVersion = await begin(client, settings);
    return await work({ client, cut, bytesRead: () => socket.bytesRead, serverVersion });
  } catch (thrown) {
    if (deadline.aborted) throw timedOut();
    signal.throwIfAborted();
    throw toDatabaseFailure(thrown);
  } finally {
    deadline.removeEventListener('abort', cut);
    signal.removeEventListener('abort', cut);
    if (isConnected && !socket.destroyed) await goodbye(client);
    cut();
  }
}

function clientOptions({ connection, tenantId }: DatabaseSettings) {
  const { host, port, name, user, password, ssl } = connection;
  return {
    ...{ host, port, database: name, user, password, ssl },
    application_name: `mcp-database ${tenantId}`,
    connectionTimeoutMillis: connectMs,
  };
}

/**
 * So that a pooler can keep its connection, the server’s log does not tell of broken ones, and the place in it is free when
 * the next one comes.
 */
async function goodbye(client: Client): Promise<void> {
  const farewell = client.query('ROLLBACK').then(() => client.end());
  const patience = new Promise((resolve) => setTimeout(resolve, goodbyeMs).unref());
  // Whatever goes wrong now, the answer is there.
  await Promise.race([farewell.catch(() => undefined), patience]);
}

interface Facts {
  readonly is_superuser: boolean;
  readonly touches_files: boolean;
  readonly server_version: string;
}

/**
 * The transaction, its limits, and who we are, in one trip. The settings are the transaction’s own, so a pooler between is
 * fine. `standard_conforming_strings`: if server and parser disagreed where a text ends, they would read two queries.
 */
async function begin(client: Client, { schemas, limits }: DatabaseSettings): Promise<string> {
  const results: unknown = await client.query(`
    BEGIN READ ONLY;
    SET LOCAL statement_timeout = ${limits.timeoutMs};
    SET LOCAL lock_timeout = 1000;
    SET LOCAL idle_in_transaction_session_timeout = ${limits.timeoutMs + graceMs};
    SET LOCAL search_path = ${[...schemas.map(quoted), 'pg_temp'].join(', ')};
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL timezone = 'UTC';
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL client_min_messages = 'error';
    SELECT pg_catalog.set_config('client_connection_check_interval', '${noticeMs}', true)
      WHERE pg_catalog.current_setting('client_connection_check_interval', true) IS NOT NULL
        AND pg_catalog.version() !~* 'mingw|visual c|msvc';
    SELECT pg_catalog.current_setting('server_version') AS server_version,
      EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolsuper AND ${isMember}) AS is_superuser,
      EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname IN
        ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program') AND ${isMember}) AS touches_files`);
  const last = (results as { rows: Facts[] }[]).at(-1)?.rows[0];
  if (!last || last.is_superuser || last.touches_files) throw unsafeRole(last?.is_superuser ?? true);
  return last.server_version;
}

/** Of the role that logged in, and of the one it may have been switched to. */
const isMember = `(pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') OR pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER'))`;

function unsafeRole(isSuperuser: boolean): ToolFailure {
  const what = isSuperuser
    ? 'is a superuser, or a member of one'
    : 'may use the files or programs of the server';
  return new ToolFailure('UNSAFE_ROLE', `The role this server logs in with ${what}; nothing was asked`, {
    hint: 'Give the tenant a role that may only SELECT: docs/servers/database.md shows how to make one',
  });
}
