/** How the text of a variable is read. */
export interface Kind<Value> {
  /** For people: `a whole number from 1 to 10`. */
  readonly shape: string;
  readonly isSecret: boolean;
  /** Throws an Error that says what to write instead, and never quotes what was written. */
  read(text: string): Value;
}

/** One setting of a server, from its environment. */
export interface Variable<Value> {
  /** The first is the one to write; the others are understood too. */
  readonly names: readonly [string, ...string[]];
  readonly about: string;
  readonly kind: Kind<unknown>;
  readonly isRequired: boolean;
  readonly fallback: Value;
}

export type Environment = Readonly<Record<string, Variable<unknown>>>;
export type Settings<Spec extends Environment> = {
  readonly [Key in keyof Spec]: Spec[Key] extends Variable<infer Value> ? Value : never;
};

type Names = readonly [string, ...string[]];

export function required<Value>(kind: Kind<Value>, names: Names, about: string): Variable<Value> {
  return { names, about, kind, isRequired: true, fallback: undefined as Value };
}

export function optional<Value>(kind: Kind<Value>, names: Names, about: string): Variable<Value | undefined>;
export function optional<Value>(
  kind: Kind<Value>,
  names: Names,
  about: string,
  fallback: Value,
): Variable<Value>;
export function optional<Value>(
  kind: Kind<Value>,
  names: Names,
  about: string,
  ...rest: readonly Value[]
): Variable<Value | undefined> {
  return { names, about, kind, isRequired: false, fallback: rest[0] };
}

/** Everything that is wrong with an environment at once, each as one line for people. */
export class EnvironmentProblem extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'EnvironmentProblem';
    this.problems = problems;
  }
}

export interface ReadEnvironment<Spec extends Environment> {
  readonly settings: Settings<Spec>;
  /** The texts of all secrets, for the redactor. */
  readonly secrets: readonly string[];
}

/** Reads all variables of `spec`. An empty one counts as not set. Throws EnvironmentProblem. */
export function readEnvironment<Spec extends Environment>(env: Texts, spec: Spec): ReadEnvironment<Spec> {
  const problems: string[] = [];
  const settings: Record<string, unknown> = {};
  const secrets: string[] = [];
  for (const [key, variable] of Object.entries(spec)) {
    const read = readVariable(env, variable);
    if ('problem' in read) problems.push(read.problem);
    else settings[key] = read.value;
    if (variable.kind.isSecret) secrets.push(...variable.names.map((name) => textOf(env, name)));
  }
  if (problems.length > 0) throw new EnvironmentProblem(problems);
  return { settings: settings as Settings<Spec>, secrets: secrets.filter((secret) => secret !== '') };
}

type Texts = Readonly<Record<string, string | undefined>>;
type Read = { readonly value: unknown } | { readonly problem: string };

const textOf = (env: Texts, name: string): string => env[name]?.trim() ?? '';

function readVariable(env: Texts, { names, about, kind, isRequired, fallback }: Variable<unknown>): Read {
  const [name, ...others] = names.filter((each) => textOf(env, each) !== '');
  if (name === undefined) {
    const also = names.length > 1 ? ` (or ${names.slice(1).join(', ')})` : '';
    return isRequired ? { problem: `${names[0]}${also} is not set: ${about}` } : { value: fallback };
  }
  const text = textOf(env, name);
  const rival = others.find((other) => textOf(env, other) !== text);
  if (rival !== undefined)
    return { problem: `${name} and ${rival} mean the same and are set to different values; keep one` };
  if (text.startsWith('${')) return { problem: `${name} was not filled in: it still begins with "\${"` };
  try {
    return { value: kind.read(text) };
  } catch (thrown) {
    const advice = thrown instanceof Error ? thrown.message : 'it cannot be read';
    return { problem: `${name}: ${advice} (${about})` };
  }
}
