import { rmdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identify } from '../processes.ts';
import { type Branch, enable } from './cgroups.ts';
import { GiveWay } from './give-way.ts';
import { settingsFor, type WholeLimits } from './limits.ts';
import { endTree, foldersIn, parsePids } from './tree.ts';

/** What a worker is put into, and how much it may take. */
export interface Room {
  readonly tenantId: string;
  readonly limits: WholeLimits;
}

/** The cgroups of one worker, one in each hierarchy. */
export interface Cell {
  /** Begin to make it, ahead of the process that is to be put in. */
  prepare(): void;
  /** Put a process in: it takes a while, in which the process may go on. */
  admit(pid: number): void;
  /** All of these are inside, and whoever they start from now on; or why not all, in words. Never rejects. */
  settle(family: () => readonly number[]): Promise<string | undefined>;
  /** Kill whatever is inside, and remove it. */
  end(): Promise<void>;
}

/** How often what is outside is looked for; who still has others there then does it on purpose. */
const looks = 100;
/** What `settle` says of those. */
export const evaded = 'it starts processes faster than they can be put into its cgroup';
const endMs = 5000;

/** All cells of one keeper. */
export class Cells {
  readonly #branches: readonly Branch[];
  /** Of each tenant, the cells there are. */
  readonly #counts = new Map<string, number>();
  readonly #giveWay: GiveWay;

  /** `yields` hears of the `id` of each that keeps a processor busy, and gives way, for more than a moment; once. */
  constructor(branches: readonly Branch[], yields: (id: number) => void = () => undefined) {
    this.#branches = branches;
    this.#giveWay = new GiveWay(branches, (worker) => yields(Number(worker)));
  }

  cellFor({ tenantId, limits }: Room, id: number): Cell | undefined {
    if (this.#branches.length === 0) return undefined;
    // An id may be any text its pattern allows; as a name it must not lead elsewhere, nor be one of the kernel's files.
    const tenant = `of-${encodeURIComponent(tenantId)}`;
    const folderIn = ({ folder }: Branch): string => path.join(folder, tenant, String(id));
    let isAwake: Promise<void> | undefined;
    let made: Promise<string | undefined>[] = [];
    let admitted: Promise<(string | undefined)[]> | undefined;
    const prepare = (): void => {
      if (isAwake) return;
      this.#counts.set(tenant, (this.#counts.get(tenant) ?? 0) + 1);
      this.#giveWay.start();
      isAwake = this.#awaken();
      made = this.#branches.map((branch) => trouble(() => make(branch, folderIn(branch), limits)));
      admitted = Promise.all(made);
    };
    return {
      prepare,
      admit: (pid) => {
        prepare();
        const enter = async (branch: Branch, at: number): Promise<string | undefined> =>
          (await made[at]) ?? (await isAwake, trouble(() => put(pid, folderIn(branch))));
        admitted = Promise.all(this.#branches.map(enter));
      },
      settle: async (family) => {
        const troubles = (await admitted) ?? [];
        const folders = this.#branches.map(folderIn).filter((_, at) => troubles[at] === undefined);
        return (await trouble(() => takeAll(folders, family))) ?? troubles.find((each) => each !== undefined);
      },
      end: async () => {
        if (admitted === undefined) return;
        await admitted;
        admitted = undefined;
        await Promise.all(this.#branches.map((branch) => endTree(folderIn(branch), endMs)));
        this.#leave(tenant);
      },
    };
  }

  /**
   * Whoever puts a process into a cgroup waits until all processors have looked up, for 5 to 15 ms, unless somebody has done
   * so a moment ago. So it is done once to no effect, from where we are to where we are, while the process is being started.
   */
  async #awaken(): Promise<void> {
    const [branch] = this.#branches;
    if (branch) await trouble(() => put(process.pid, branch.own));
  }

  /** End all there is. Nothing comes after it. */
  async end(): Promise<void> {
    this.#giveWay.stop();
    await Promise.all(this.#branches.map(({ folder }) => endTree(folder, endMs)));
  }

  /** The last one of a tenant takes the tenant's away; in one go, so that nobody comes in between. */
  #leave(tenant: string): void {
    const count = (this.#counts.get(tenant) ?? 1) - 1;
    if (count > 0) return void this.#counts.set(tenant, count);
    this.#counts.delete(tenant);
    if (this.#counts.size === 0) this.#giveWay.stop();
    for (const { folder } of this.#branches) {
      try {
        rmdirSync(path.join(folder, tenant));
      } catch {
        // Gone with all others, or something in it would not end: the end of the proxy tries again.
      }
    }
  }
}

/** End the cells there are now, and none that are made from now on. */
export async function endCellsOf(branches: readonly Branch[]): Promise<void> {
  const cells = branches.flatMap(({ folder }) =>
    foldersIn(folder).flatMap((tenant) =>
      foldersIn(path.join(folder, tenant)).map((id) => path.join(folder, tenant, id)),
    ),
  );
  await Promise.all(cells.map((cell) => endTree(cell, endMs)));
}

/** With its limits: what is put in is held from then on. */
async function make(branch: Branch, folder: string, limits: WholeLimits): Promise<void> {
  const { version, controllers } = branch;
  const tenant = path.dirname(folder);
  await mkdir(tenant).catch(unless('EEXIST'));
  if (version === 2) enable(tenant, controllers);
  await mkdir(folder);
  for (const { file, value, isOptional } of settingsFor(version, controllers, limits)) {
    const written = writeFile(path.join(folder, file), value, { flag: 'r+' });
    await (isOptional === true ? written.catch(() => undefined) : written);
  }
}

/** What was forked before its parent was put in is not inside yet. Looked for as seldom as can be: all processes are looked at. */
async function takeAll(folders: readonly string[], family: () => readonly number[]): Promise<void> {
  for (let look = 0; look < looks; look++) {
    const pids = [...new Set(family())];
    const taken = await Promise.all(folders.map((folder) => take(folder, pids)));
    if (!taken.includes(true)) return;
  }
  throw new Error(evaded);
}

/** Was anybody outside? */
async function take(folder: string, pids: readonly number[]): Promise<boolean> {
  const inside = new Set(parsePids(await readFile(path.join(folder, 'cgroup.procs'), 'latin1')));
  const outside = pids.filter((pid) => !inside.has(pid) && identify(pid));
  const taken = await Promise.all(outside.map((pid) => put(pid, folder)));
  return taken.includes(true);
}

/** False for who is gone: it need not be put anywhere. */
async function put(pid: number, folder: string): Promise<boolean> {
  try {
    await writeFile(path.join(folder, 'cgroup.procs'), String(pid), { flag: 'r+' });
    return true;
  } catch (thrown) {
    unless('ESRCH')(thrown);
    return false;
  }
}

const unless =
  (code: string) =>
  (thrown: unknown): void => {
    if ((thrown as { code?: string }).code !== code) throw thrown as Error;
  };

async function trouble(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
