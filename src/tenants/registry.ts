import path from 'node:path';
import type { Announce } from '../events/events.ts';
import { ProxyError } from '../calls/error.ts';
import { defaultTenantIdPattern } from '../calls/ids.ts';
import type { SecretSources } from '../secrets/sources.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { Problem, Warning } from '../yaml/problem.ts';
import { changeBetween } from './change.ts';
import { settleClaims } from './claims.ts';
import type { TenantDefaults } from './definition.ts';
import { Folder } from './folder.ts';
import type { Tenant, TenantChange, Tenants } from './tenant.ts';
import { shownPath } from './tenant-file.ts';
import { FolderWatcher } from './watcher.ts';

export interface TenantsOptions {
  /** Absolute: the folder with one YAML file for each tenant. */
  readonly folder: string;
  /** Absolute: what `cwd` and a relative `command` are relative to. */
  readonly baseDir: string;
  readonly defaults: TenantDefaults;
  /** A regular expression for the whole id; an id that does not fit it is a problem. */
  readonly idPattern?: string;
  /** What `${…}` in a server's variables stands for. */
  readonly secrets: SecretSources;
  /** See `ReadingContext`. */
  readonly hidden?: () => readonly string[];
  /** See `ReadingContext`. */
  readonly digestKey?: Buffer;
  readonly announce: Announce;
  readonly clock?: Clock;
}

/** The tenants in force; they follow the folder once `watch` has been called. */
export interface WatchedTenants extends Tenants {
  /** Follow the folder from now on, until `close`. */
  watch(): void;
}

/** Read the folder, and have its tenants at hand. A folder that cannot be read is a problem, not an error. */
export async function openTenants(options: TenantsOptions): Promise<WatchedTenants> {
  const registry = new Registry(options);
  await registry.reload();
  return registry;
}

/** Every look at the folder ends in one swap of the whole map: no request ever sees half a change. */
class Registry implements WatchedTenants {
  readonly #options: TenantsOptions;
  readonly #clock: Clock;
  readonly #idPattern: RegExp;
  readonly #folder: Folder;
  readonly #watcher: FolderWatcher;
  readonly #listeners: ((change: TenantChange) => void)[] = [];
  #tenants: ReadonlyMap<string, Tenant> = new Map();
  #problems: readonly Problem[] = [];
  #warnings: readonly Warning[] = [];
  /** Looks at the folder come one after the other. */
  #looking: Promise<unknown> = Promise.resolve();

  constructor(options: TenantsOptions) {
    const { folder, baseDir, defaults, secrets, idPattern = defaultTenantIdPattern } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#idPattern = new RegExp(`^(?:${idPattern})$`);
    const { digestKey, hidden } = options;
    const own = digestKey && { digestKey };
    const context = { baseDir, defaults, idPattern: this.#idPattern, secrets, hidden, ...own };
    this.#folder = new Folder(folder, context);
    this.#watcher = new FolderWatcher(folder, this.#clock, (names) => void this.#look(names));
  }

  find(id: string): Tenant | undefined {
    return this.#tenants.get(id);
  }

  require(id: string): Tenant {
    const tenant = this.#tenants.get(id);
    if (tenant) return tenant;
    if (!this.#idPattern.test(id)) {
      const advice = `it must match ${this.#idPattern.source}`;
      throw new ProxyError('INVALID_TENANT', `This is no tenant id: ${advice} (tenantIds.pattern)`);
    }
    const file = shownPath(path.join(this.#options.folder, `${id}.yaml`));
    const advice = `is ${file} there, readable, without a problem in proxy check, and does it say tenant: ${id}?`;
    throw new ProxyError('TENANT_NOT_CONFIGURED', `There is no tenant ${id}; ${advice}`);
  }

  all(): Iterable<Tenant> {
    return this.#tenants.values();
  }

  get size(): number {
    return this.#tenants.size;
  }

  problems(): readonly Problem[] {
    return this.#problems;
  }

  reload(): Promise<TenantChange> {
    return this.#look(undefined);
  }

  onChange(listener: (change: TenantChange) => void): void {
    this.#listeners.push(listener);
  }

  watch(): void {
    this.#watcher.start();
  }

  close(): void {
    this.#watcher.stop();
  }

  /** Look at these files, or at all of them, after the looks before. */
  #look(names: ReadonlySet<string> | undefined): Promise<TenantChange> {
    const done = this.#looking.then(() => this.#lookNow(names));
    this.#looking = done.catch(() => undefined);
    return done;
  }

  async #lookNow(names: ReadonlySet<string> | undefined): Promise<TenantChange> {
    const startedAt = this.#clock.now();
    const { records, problems } = await this.#folder.look(names);
    const before = this.#tenants;
    const { tenants, conflicts } = settleClaims(records, before);
    const change = changeBetween(before, tenants);
    this.#tenants = tenants;
    const { announce } = this.#options;
    const allProblems = [...problems, ...records.flatMap((record) => record.problems), ...conflicts];
    for (const news of newIn(allProblems, this.#problems)) announce({ type: 'tenant.problem', ...news });
    this.#problems = allProblems;
    const warnings = records.flatMap((record) => record.warnings);
    for (const news of newIn(warnings, this.#warnings)) announce({ type: 'tenant.warning', ...news });
    this.#warnings = warnings;
    this.#tellChange(change, this.#clock.now() - startedAt);
    return change;
  }

  #tellChange(change: TenantChange, tookMs: number): void {
    const { added, changed, removed } = change;
    if (added.length + changed.length + removed.length === 0) return;
    for (const listener of this.#listeners) listener(change);
    this.#options.announce({
      type: 'tenants.reloaded',
      added: added.length,
      changed: changed.length,
      removed: removed.length,
      tenants: this.#tenants.size,
      problems: this.#problems.length,
      tookMs: Math.round(tookMs),
    });
  }
}

/** Each is told once, as long as it stays. */
function newIn<Told extends Problem | Warning>(told: readonly Told[], before: readonly Told[]): Told[] {
  const known = new Set(before.map(keyOf));
  return told.filter((each) => !known.has(keyOf(each)));
}

const keyOf = ({ file, line, column, code, message }: Problem | Warning) =>
  `${file}:${line}:${column}:${code}:${message}`;
