import { ToolFailure } from '../kit/failure.ts';
import { QueryRejected } from './sql/rejection.ts';

/** What pg makes of an answer of the server, and Node of a connection that fails. */
interface Told {
  readonly code?: unknown;
  readonly hint?: unknown;
}

const sqlState = /^[0-9A-Z]{5}$/;

/**
 * Whatever was thrown while the database was asked, as a failure. PostgreSQL's own words about a query are passed on;
 * what concerns the connection is said in words of ours, since theirs name host, user and database.
 */
export function toDatabaseFailure(thrown: unknown): unknown {
  if (thrown instanceof ToolFailure) return thrown;
  if (thrown instanceof QueryRejected)
    return new ToolFailure('QUERY_REJECTED', thrown.message, {
      hint: 'Send one SELECT over the table of resource_uri; list_tenant_resources shows what there is',
    });
  // A mistake of ours is not the database's.
  if (!(thrown instanceof Error) || thrown instanceof TypeError || thrown instanceof RangeError)
    return thrown;
  return saidByServer(thrown) ?? notReached(thrown);
}

function saidByServer(thrown: Error & Told): ToolFailure | undefined {
  const { code, message, hint } = thrown;
  const isFromServer = typeof code === 'string' && sqlState.test(code) && 'severity' in thrown;
  return isFromServer ? toldBy(code, message, typeof hint === 'string' ? hint : undefined) : undefined;
}

function toldBy(vendorCode: string, message: string, hint: string | undefined): ToolFailure {
  if (vendorCode.startsWith('28'))
    return new ToolFailure('UNAUTHENTICATED', 'The database refuses the credentials', {
      vendorCode,
      hint: 'Check DB_USER and DB_PASSWORD, and what pg_hba.conf allows this machine',
    });
  switch (vendorCode) {
    case '3D000':
      return new ToolFailure('UNAVAILABLE', 'There is no database of the name in DB_NAME', { vendorCode });
    case '42501':
      return new ToolFailure('FORBIDDEN', message, { vendorCode });
    case '53300':
      return new ToolFailure('RATE_LIMITED', 'The database has no connection left', {
        vendorCode,
        retryable: true,
        hint: 'Ask again a little later; DB_MAX_CONNECTIONS times the processes must fit the role’s limit',
      });
    case '55P03':
      return new ToolFailure('TIMED_OUT', 'The table is locked', { vendorCode, retryable: true });
    case '57014':
      return timedOut(vendorCode);
    case '57P01':
    case '57P02':
    case '57P03':
      return new ToolFailure('UNAVAILABLE', 'The database is stopping or starting', {
        vendorCode,
        retryable: true,
      });
    default:
      return new ToolFailure('REJECTED', message, { vendorCode, hint });
  }
}

export function timedOut(vendorCode?: string): ToolFailure {
  return new ToolFailure('TIMED_OUT', 'The query took longer than it may', {
    vendorCode,
    hint: 'Ask for less: a WHERE on an indexed column, fewer rows, fewer joins',
  });
}

/** The message is pg's or Node's own and names the place; the code does not. */
function notReached(cause: Error & Told): ToolFailure {
  const why = typeof cause.code === 'string' ? ` (${cause.code})` : '';
  return new ToolFailure('UNAVAILABLE', `The database cannot be reached, or ended the connection${why}`, {
    retryable: true,
    hint: 'Whoever runs this server looks at DB_HOST, DB_PORT and DB_SSLMODE; its stderr says more',
    cause,
  });
}
