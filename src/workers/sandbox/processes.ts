import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The variable that every process we start carries, and all its descendants inherit: whose it is. */
export const markName = 'MCPX_WORKER';

/** One process, and not another that was given its number later: (number, time of its start). */
export interface Identity {
  readonly pid: number;
  /** In ticks since the machine began, as proc(5) `stat` has it. */
  readonly startTime: string;
}

/**
 * The identity of a running process; undefined if there is none of that number. A zombie is none, unless only its main
 * thread has ended and others go on.
 */
export function identify(pid: number): Identity | undefined {
  const fields = readStat(pid);
  const [state, threads, startTime] = [fields?.[0], Number(fields?.[17]), fields?.[19]];
  const isOver = state === 'X' || (state === 'Z' && threads <= 1);
  return startTime === undefined || isOver ? undefined : { pid, startTime };
}

/** Is this very process still there? */
export function isRunning({ pid, startTime }: Identity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** What is looked for in a process. Undefined: it cannot be told at this moment. */
type Test = (pid: number) => boolean | undefined;

/** Every running process that satisfies `test`, but ourselves. */
export function findProcesses(test: Test): Identity[] {
  return look(test).found;
}

/** `isClear`: of every process it could be told whether it satisfies `test`. */
function look(test: Test): { readonly found: Identity[]; readonly isClear: boolean } {
  const found: Identity[] = [];
  let isClear = true;
  for (const name of processNames()) {
    const pid = Number(name);
    // The identity first: if the number changes hands in between, it is no longer true when it is used.
    const identity = pid === process.pid ? undefined : identify(pid);
    if (!identity) continue;
    const answer = test(pid);
    if (answer === true) found.push(identity);
    else if (answer === undefined) isClear = false;
  }
  return { found, isClear };
}

/** Does the process carry one of the marks? False for processes we may not look at, undefined for one that is just beginning a program. */
export function carriesMark(pid: number, marks: readonly string[]): boolean | undefined {
  const environment = read(`/proc/${pid}/environ`) || environmentOfThreads(pid);
  if (environment === '') return isBeginning(pid) ? undefined : false;
  return marks.some((mark) => `\0${environment}`.includes(`\0${markName}=${mark}`));
}

/**
 * Between execve(2) and the first instruction of its program a process has an address space and no environment yet: for a
 * tenth of a millisecond, or as long as others keep it from the processor. Not so one that was given an empty environment.
 */
function isBeginning(pid: number): boolean {
  // Threads of the kernel, and processes we may not look at, show no program.
  return existsSync(`/proc/${pid}/exe`) && readStat(pid)?.[48] === '0';
}

/** That of a process whose main thread has ended is only to be had of the others. */
function environmentOfThreads(pid: number): string {
  if (Number(readStat(pid)?.[17]) <= 1) return '';
  return namesIn(`/proc/${pid}/task`).reduce(
    (found, thread) => found || read(`/proc/${pid}/task/${thread}/environ`),
    '',
  );
}

/** Every process that is in the same namespace of processes as this one; none if that is our own. */
export function companionsOf(pid: number): number[] {
  const own = namespaceOf(pid);
  if (own === undefined || own === namespaceOf(process.pid)) return [];
  return processNames()
    .map(Number)
    .filter((each) => namespaceOf(each) === own);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Does the process run as one of these users, really or in effect? */
export function runsAs(pid: number, uids: ReadonlySet<number>): boolean {
  const [, ids = ''] = /^Uid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return ids.split(/\s+/).some((id) => uids.has(Number(id)));
}

/** The process group a process is in. */
export function groupOf(pid: number): number {
  return Number(readStat(pid)?.[2]);
}

/** Not every kernel lists them; to look for them among all processes is a hundred times as dear. */
const listsChildren = existsSync('/proc/thread-self/children');

/** The children of a process: those of each of its threads, in the order they came. */
export function childrenOf(pid: number): number[] {
  if (listsChildren) return namesIn(`/proc/${pid}/task`).flatMap((thread) => childrenOfThread(pid, thread));
  return processNames()
    .map(Number)
    .filter((each) => readStat(each)?.[1] === String(pid));
}

function childrenOfThread(pid: number, thread: string): number[] {
  const listed = read(`/proc/${pid}/task/${thread}/children`).trim();
  return listed === '' ? [] : listed.split(' ').map(Number);
}

/** A process and its descendants, those apart that lost their parent. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/**
 * Kill whatever satisfies `test`, and what comes to satisfy it meanwhile, until two looks in a row find nobody, and nobody
 * of whom it cannot be told, or `withinMs` are over. Returns how many were killed.
 */
export async function killAll(test: Test, withinMs: number): Promise<number> {
  const killed = new Set<string>();
  const endAt = performance.now() + withinMs;
  let quiet = 0;
  while (quiet < 2 && performance.now() < endAt) {
    const { found, isClear } = look(test);
    for (const identity of found) {
      kill(identity);
      killed.add(`${identity.pid}/${identity.startTime}`);
    }
    quiet = isClear && found.length === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return killed.size;
}

/** Kill this very process, if it is still there. */
export function kill(identity: Identity): void {
  if (isRunning(identity)) signal(identity.pid, 'SIGKILL');
}

/** Send a signal to a process, or to a group if negative. Whoever is gone needs none. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH: it ended meanwhile. EPERM: it has become another user's, which only one that is not ours can.
  }
}

/** Fields of proc(5) `stat` from the state on, counted from behind the name, which may hold blanks and brackets. */
function readStat(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const processNames = (): string[] => namesIn('/proc').filter((name) => /^\d+$/.test(name));

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It ended, or is none of our business.
    return '';
  }
}
