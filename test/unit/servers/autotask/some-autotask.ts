import { type Clock, systemClock } from '../../../../src/servers/kit/clock.ts';
import { readEnvironment } from '../../../../src/servers/kit/environment.ts';
import { type ToolFailure } from '../../../../src/servers/kit/failure.ts';
import { createLogger } from '../../../../src/servers/kit/logger.ts';
import { createRedactor } from '../../../../src/servers/kit/redactor.ts';
import { openAutotask } from '../../../../src/servers/autotask/open.ts';
import { environment } from '../../../../src/servers/autotask/settings.ts';
import { type FakeAccount } from '../../../support/fake-autotask/accounts.ts';
import { type FakeAutotask } from '../../../support/fake-autotask/fake-autotask.ts';

export type Answer = Record<string, unknown>;

/** The tools of one account, asked without a process between. */
export interface SomeAutotask {
  call(name: string, args?: object, signal?: AbortSignal): Promise<Answer>;
  fails(name: string, args?: object): Promise<ToolFailure>;
  readonly logged: string[];
  readonly progress: number[];
}

/** Waits for retries are over at once; all else is real time. */
const hurried: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(ms >= 100 && ms <= 10_000 ? 1 : ms, run),
};

export const variablesOf = ({ username, secret, integrationCode }: FakeAccount) => ({
  AUTOTASK_API_USERNAME: username,
  AUTOTASK_API_SECRET: secret,
  AUTOTASK_API_INTEGRATION_CODE: integrationCode,
});

export function someAutotask(
  fake: FakeAutotask,
  account: FakeAccount,
  { env = {}, clock = hurried }: { env?: Record<string, string>; clock?: Clock } = {},
): SomeAutotask {
  const own = {
    ...variablesOf(account),
    AUTOTASK_API_URL: fake.apiUrl,
    AUTOTASK_TIMEOUT_MS: '20000',
    ...env,
  };
  const { settings, secrets } = readEnvironment(own, environment);
  const redact = createRedactor(secrets);
  const logged: string[] = [];
  const log = createLogger({
    name: 'autotask',
    level: 'debug',
    redact,
    write: (line) => void logged.push(line),
    wall: () => 0,
  });
  const { tools } = openAutotask({ settings, log, redact, clock });
  const progress: number[] = [];
  const call: SomeAutotask['call'] = async (name, args = {}, signal = new AbortController().signal) => {
    const tool = tools.find((each) => each.name === name);
    if (!tool) throw new Error(`There is no tool ${name}`);
    const result = await tool.call(args, { signal, progress: (done) => void progress.push(done) });
    return result.structuredContent ?? {};
  };
  return {
    call,
    async fails(name, args) {
      const failure = await call(name, args).then(
        (answer) => {
          throw new Error(`${name} should have failed: ${JSON.stringify(answer)}`);
        },
        (thrown: unknown) => thrown as ToolFailure,
      );
      return failure;
    },
    logged,
    progress,
  };
}
