import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import {
  carriesMark,
  childrenOf,
  companionsOf,
  familyOf,
  findProcesses,
  groupOf,
  identify,
  isRunning,
  kill,
  killAll,
  markName,
  runsAs,
} from '../../../../src/workers/sandbox/processes.ts';
import { eventually } from '../../../support/eventually.ts';

const started: number[] = [];

/** A process that sleeps, marked; its number. */
async function sleeper(mark: string, options: { detached?: boolean } = {}): Promise<number> {
  const child = spawn('sleep', ['60'], { env: { [markName]: mark }, stdio: 'ignore', ...options });
  await once(child, 'spawn');
  started.push(child.pid!);
  // Before its own program runs, it has our environment.
  await eventually(() => carriesMark(child.pid!, [mark]));
  return child.pid!;
}

afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by the test.
    }
  }
});

describe.runIf(existsSync('/proc/self/stat'))('processes', () => {
  test('are told apart by number and time of start', async () => {
    const pid = await sleeper('m1');
    const identity = identify(pid)!;
    expect(identity).toMatchObject({ pid });
    expect(isRunning(identity)).toBe(true);
    const another = { pid, startTime: String(Number(identity.startTime) - 1) };
    expect(isRunning(another)).toBe(false);
    // A number that has changed hands is not enough to be killed.
    kill(another);
    expect(isRunning(identity)).toBe(true);
    kill(identity);
    await eventually(() => !isRunning(identity));
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  test.runIf(python)('whose main thread has ended are still there, and known by their mark', async () => {
    const script = 'import ctypes,threading,time\nthreading.Thread(target=time.sleep,args=(60,)).start()\n';
    const child = spawn('python3', ['-c', `${script}ctypes.CDLL(None).syscall(60, 0)`], {
      env: { ...process.env, [markName]: 'm-threads' },
      stdio: 'ignore',
    });
    await once(child, 'spawn');
    started.push(child.pid!);
    const found = () => findProcesses((pid) => carriesMark(pid, ['m-threads'])).map(({ pid }) => pid);
    const statusOf = (pid: number) => {
      try {
        return readFileSync(`/proc/${pid}/status`, 'latin1');
      } catch {
        return '';
      }
    };
    const isHeadless = (pid: number) => statusOf(pid).includes('(zombie)');
    await eventually(() => found().some(isHeadless));
    await killAll((pid) => carriesMark(pid, ['m-threads']), 5000);
    expect(found()).toEqual([]);
  });

  test.runIf(python)('are their parent`s, whichever of its threads has started them', async () => {
    const inThread = "threading.Thread(target=lambda: subprocess.run(['sleep', '60'])).start()";
    const script = `import subprocess,threading\nsubprocess.Popen(['sleep', '60'])\n${inThread}`;
    const child = spawn('python3', ['-c', script], { stdio: 'ignore' });
    await once(child, 'spawn');
    started.push(child.pid!);
    await eventually(() => childrenOf(child.pid!).length === 2);
    started.push(...childrenOf(child.pid!));
    expect(familyOf(child.pid!).toSorted()).toEqual([child.pid!, ...childrenOf(child.pid!)].toSorted());
  });

  test('in our own namespace are nobody`s companions', () => {
    expect(companionsOf(process.pid)).toEqual([]);
    expect(companionsOf(2 ** 22 + 1)).toEqual([]);
  });

  test('that were never there have no identity', () => {
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });

  test('carry a mark whole, or not at all', async () => {
    const pid = await sleeper('abc.12');
    expect(carriesMark(pid, ['abc'])).toBe(true);
    expect(carriesMark(pid, ['abc.12\0'])).toBe(true);
    expect(carriesMark(pid, ['abc.1\0'])).toBe(false);
    expect(carriesMark(pid, ['bc'])).toBe(false);
    expect(carriesMark(pid, [])).toBe(false);
  });

  test('are found by their group, user and parent', async () => {
    const pid = await sleeper('m2', { detached: true });
    expect(groupOf(pid)).toBe(pid);
    expect(childrenOf(process.pid)).toContain(pid);
    expect(runsAs(pid, new Set([process.getuid!()]))).toBe(true);
    expect(runsAs(pid, new Set([987_654]))).toBe(false);
    expect(findProcesses((each) => groupOf(each) === pid)).toEqual([identify(pid)]);
  });

  test('are killed by their mark, all of them, and nobody else', async () => {
    const [first, second, other] = [await sleeper('kill.1'), await sleeper('kill.2'), await sleeper('spare')];
    expect(await killAll((pid) => carriesMark(pid, ['kill.']), 2000)).toBe(2);
    await eventually(() => [first, second].every((pid) => identify(pid) === undefined));
    expect(identify(other)).toBeDefined();
  });

  test('are looked at again while it cannot be told whose they are', async () => {
    const pid = await sleeper('late');
    let looks = 0;
    const isTold = (each: number) => (each === pid ? (++looks > 5 ? true : undefined) : false);
    expect(await killAll(isTold, 5000)).toBe(1);
    await eventually(() => identify(pid) === undefined);
  });

  test('cannot be told whose they are while they begin a program; one with an empty environment is nobody`s', async () => {
    const again = '[ $# -lt 5000 ] && exec sh -c "$0" "$0" x "$@"; sleep 60';
    const child = spawn('sh', ['-c', again, again], { env: { [markName]: 'again' }, stdio: 'ignore' });
    await once(child, 'spawn');
    started.push(child.pid!);
    await eventually(() => {
      for (let at = 0; at < 2000; at++) if (carriesMark(child.pid!, ['again']) === undefined) return true;
      return false;
    });
    const bare = spawn('sleep', ['60'], { env: {}, stdio: 'ignore' });
    await once(bare, 'spawn');
    started.push(bare.pid!);
    await eventually(() => readFileSync(`/proc/${bare.pid}/environ`, 'latin1') === '');
    await eventually(() => carriesMark(bare.pid!, ['again']) === false);
  });
});
