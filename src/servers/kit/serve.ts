import { type Clock, systemClock } from './clock.ts';
import { type Environment, EnvironmentProblem, readEnvironment, type Settings } from './environment.ts';
import { readLines } from './lines.ts';
import { createLogger, type Logger } from './logger.ts';
import { logSettings } from './log-settings.ts';
import { createMcpSession, type ServerCard } from './mcp-session.ts';
import { createRedactor, type Redactor } from './redactor.ts';
import { readMessage } from './rpc.ts';
import type { Surface } from './surface.ts';

/** What a server's parts are given. */
export interface Workshop<Spec extends Environment> {
  readonly settings: Settings<Spec>;
  readonly log: Logger;
  /** Give it every secret that is got at run time, such as tokens. */
  readonly redact: Redactor;
  readonly clock: Clock;
}

export interface ServerDefinition<Spec extends Environment> {
  readonly card: ServerCard;
  readonly environment: Spec;
  /** Throws EnvironmentProblem where settings that are sound one by one do not go together. Before the handshake. */
  check?(settings: Settings<Spec>): void;
  /**
   * Makes the tools; begins once the environment is read, while the handshake is answered. Import here what takes time.
   * If it throws, the process ends with 1.
   */
  open(workshop: Workshop<Spec>): Promise<Surface>;
}

/** Once stdin has ended, calls in flight may still answer for so long. */
const lastAnswersMs = 5_000;
/** And so long the server may take to put its things in order. */
const closeMs = 1_000;

/** Runs a server on stdin and stdout until stdin ends or a signal comes, and then ends the process. */
export async function serve<Spec extends Environment>(definition: ServerDefinition<Spec>): Promise<void> {
  const workshop = openWorkshop(definition);
  if (!workshop) {
    process.exitCode = 1;
    return;
  }
  const { log } = workshop;
  const surface = definition.open(workshop);
  const session = createMcpSession({ ...workshop, card: definition.card, surface, send });
  const leave = async (code: number): Promise<void> => {
    session.end();
    await Promise.race([closeSurface(surface, log).then(flushed), passed(closeMs)]);
    process.exit(code);
  };
  surface.catch((thrown: unknown) => {
    log.error('server.failed', textOf(thrown));
    process.exit(1);
  });
  process.once('SIGTERM', () => void leave(0)).once('SIGINT', () => void leave(0));
  // The client is gone: there is nobody left to tell anything.
  process.stdout.on('error', () => void leave(0));
  try {
    await readLines(process.stdin, (line) => {
      const message = readMessage(line);
      if (message) session.receive(message);
    });
    await Promise.race([session.idle(), passed(lastAnswersMs)]);
    await leave(0);
  } catch (thrown) {
    log.error('server.failed', textOf(thrown));
    await leave(1);
  }
}

function openWorkshop<Spec extends Environment>(
  definition: ServerDefinition<Spec>,
): Workshop<Spec> | undefined {
  const { card, environment } = definition;
  const write = (line: string): void => void process.stderr.write(line);
  try {
    const { level } = readEnvironment(process.env, logSettings).settings;
    const { settings, secrets } = readEnvironment(process.env, environment);
    definition.check?.(settings);
    forget(environment);
    const redact = createRedactor(secrets);
    const log = createLogger({ name: card.name, level, redact, write, wall: () => systemClock.wall() });
    return { settings, log, redact, clock: systemClock };
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentProblem)) throw thrown;
    write(thrown.problems.map((problem) => `${card.name}: ${problem}\n`).join(''));
    return undefined;
  }
}

/** A process this one might start, or a dump of `process.env`, has no business with the secrets. */
function forget(environment: Environment): void {
  const secret = Object.values(environment).filter(({ kind }) => kind.isSecret);
  for (const name of secret.flatMap(({ names }) => names)) Reflect.deleteProperty(process.env, name);
}

async function closeSurface(opening: Promise<Surface>, log: Logger): Promise<void> {
  try {
    const surface = await opening;
    await surface.close?.();
  } catch (thrown) {
    log.warn('server.failed', textOf(thrown));
  }
}

const passed = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** A pipe takes 64 KiB at once; what a slow reader has not taken yet would be lost with the process. */
const flushed = () => new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
const textOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

function send(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
