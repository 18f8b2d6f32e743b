import type { SecretSources } from '../secrets/sources.ts';
import type { Problem } from '../yaml/problem.ts';
import type { TenantDefaults } from './definition.ts';

/** What a tenant's file means depends on: all of it fixed while the proxy runs. */
export interface ReadingContext {
  /** Absolute: what `cwd` and a relative `command` are relative to. */
  readonly baseDir: string;
  readonly defaults: TenantDefaults;
  readonly idPattern: RegExp;
  /** What `${…}` stands for. */
  readonly secrets: SecretSources;
  /** What no server is shown, whatever its file asks for: absolute. Left out: nothing is known of that. */
  readonly hidden?: (() => readonly string[]) | undefined;
  /** Makes generations the same in every run, and of no use to who only sees them; left out: another in each run. */
  readonly digestKey?: Buffer;
}

/** Collects what is wrong, each with its place. */
export type Complain = (code: Problem['code'], path: readonly PropertyKey[], message: string) => void;
