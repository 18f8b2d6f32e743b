/**
 * One thing wrong in one place. Never quotes the file: a secret may stand on that line.
 * The same shape in `proxy check`, `proxy status` and the log.
 */
export interface Problem {
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
  readonly code: ProblemCode;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** Every kind of problem, documented in docs/errors.md. */
export const problemCodes = {
  UNREADABLE: 'the file or folder cannot be read',
  TOO_BIG: 'the file is larger than it may be',
  YAML_SYNTAX: 'the text is not YAML that can be read safely',
  INVALID_SETTING: 'a key is unknown, missing, or has a value it may not have',
  INVALID_TENANT: 'the tenant id does not fit the pattern, or is not the name of its file',
  MISSING_VARIABLE: 'a `${NAME}` names an environment variable that is not set',
  MISSING_SECRET: 'a `${file:…}` or `${vault:…}` names a secret that is not there',
  VAULT_LOCKED: 'a secret in the vault cannot be opened with the master key at hand',
  VAULT_DAMAGED: 'a secret in the vault is not as it was sealed',
  DUPLICATE_KEY: 'two tenants, or one tenant twice, hold the same key',
  DUPLICATE_TENANT: 'two files name the same tenant',
  START_FAILED: 'the server of a new generation did not start, so the old one goes on',
} as const;

export type ProblemCode = keyof typeof problemCodes;

/**
 * Something that works, and that an operator would rather not have: told by `proxy check`; a proxy that runs tells
 * of missing and hidden paths only. Never quotes a value.
 */
export interface Warning extends Omit<Problem, 'code'> {
  readonly code: WarningCode;
}

/** Every kind of warning, documented in docs/errors.md. */
export const warningCodes = {
  PLAIN_SECRET: 'a credential stands in plain text',
  DEFAULT_SECRET: 'a credential has a default in plain text',
  UNUSED_REFERENCE: 'what looks like a reference stands where none is filled in',
  UNPINNED_PACKAGE: 'a package is fetched in whatever version is newest',
  MISSING_PATH: 'a file or folder under `sandbox` is not there',
  HIDDEN_PATH: 'a file or folder under `sandbox` is one that no server sees',
  WIDE_FOLDER: 'a server writes or starts in a folder that holds what decides what the proxy runs',
  READABLE_BY_OTHERS: 'every user of the machine can read a file that is worth hiding',
  WRITABLE_BY_OTHERS: 'others than its owner can change a file that decides what is run',
  SHARED_CREDENTIAL: 'a variable of the proxy that is a credential reaches every tenant, or no one',
} as const;

export type WarningCode = keyof typeof warningCodes;
