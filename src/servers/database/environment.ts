import { optional, required } from '../kit/environment.ts';
import { choice, flag, integer, list, secret, text } from '../kit/variable-kinds.ts';

export const sslModes = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

const MiB = 1024 ** 2;

/** Where the database is: in variables of its own, or in `{TENANT_CONFIG_DIR}/{TENANT_ID}.json`. */
export const connectionVariables = {
  host: optional(text(), ['DB_HOST'], 'the database’s host, or the folder of its socket'),
  port: optional(integer(1, 65_535), ['DB_PORT'], 'its port'),
  name: optional(text(), ['DB_NAME'], 'the name of the database'),
  user: optional(text(), ['DB_USER'], 'a role that may only read'),
  password: optional(secret(), ['DB_PASSWORD'], 'its password'),
  sslMode: optional(choice(sslModes), ['DB_SSLMODE'], 'how the connection is encrypted'),
};

/** Everything the database server reads from its environment. */
export const environment = {
  tenantId: required(text(), ['TENANT_ID'], 'whose database this is; it stands in every URI'),
  tenantIdPattern: optional(
    text('a regular expression'),
    ['TENANT_ID_PATTERN'],
    'what a tenant’s id may be',
    '[A-Za-z0-9_]{6,20}',
  ),
  configDir: optional(text(), ['TENANT_CONFIG_DIR'], 'a folder with one JSON file for each tenant'),
  ...connectionVariables,
  sslRootCert: optional(text(), ['DB_SSLROOTCERT'], 'a file with the certificates to trust, as PEM'),
  schemas: optional(list(), ['DB_SCHEMAS'], 'the schemas whose tables are offered', ['public']),
  allowedRelations: optional(list(), ['DB_ALLOWED_RELATIONS'], 'tables that any query may use, or *', []),
  allowedFunctions: optional(list(), ['DB_ALLOWED_FUNCTIONS'], 'functions beyond the built-in ones', []),
  allowedTypes: optional(list(), ['DB_ALLOWED_TYPES'], 'types beyond the built-in ones', []),
  allowWritableRole: optional(
    flag(),
    ['DB_ALLOW_WRITABLE_ROLE'],
    'no warning about a role that may write',
    false,
  ),
  timeoutMs: optional(integer(100, 60_000), ['DB_STATEMENT_TIMEOUT_MS'], 'the longest query, in ms', 10_000),
  maxRows: optional(integer(1, 10_000), ['DB_MAX_ROWS'], 'rows of one answer', 1_000),
  maxResultBytes: optional(
    integer(1024, 16 * MiB),
    ['DB_MAX_RESULT_BYTES'],
    'bytes of one answer',
    256 * 1024,
  ),
  maxCellChars: optional(integer(16, MiB), ['DB_MAX_CELL_CHARS'], 'characters of one value', 8_192),
  maxConnections: optional(integer(1, 100), ['DB_MAX_CONNECTIONS'], 'connections at once'),
  maxQueriesPerHour: optional(integer(1, 1e9), ['DB_MAX_QUERIES_PER_HOUR'], 'queries in one hour'),
  maxQueriesPerDay: optional(integer(1, 1e9), ['DB_MAX_QUERIES_PER_DAY'], 'queries in one day'),
  quotaFolder: optional(text('a folder'), ['DB_QUOTA_FOLDER'], 'where queries are counted between starts'),
};
