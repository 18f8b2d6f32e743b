type SetupCode = 'INVALID_TENANT' | 'TENANT_NOT_CONFIGURED' | 'INVALID_SETTING' | 'MISSING_VARIABLE';

/** Why this server cannot work at all: the process says it on stderr and ends. Its text holds no values. */
export class SetupProblem extends Error {
  override readonly name = 'SetupProblem';

  constructor(code: SetupCode, message: string) {
    super(`${code}: ${message}`);
  }
}
