import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gated } from '../../../../src/workers/sandbox/gate.ts';
import { KeeperLine } from '../../../../src/workers/sandbox/keeper-line.ts';
import { markName } from '../../../../src/workers/sandbox/processes.ts';

const [file = '', ...args] = gated({}, ['/bin/sleep', '60']);

const nothing = () => undefined;
const openLine = (mark: string) =>
  new KeeperLine({
    mark,
    instanceFile: '',
    unreached: nothing,
    unheld: nothing,
    yields: nothing,
    lost: nothing,
  });

test('every launch comes to an end, at whatever moment the line is closed', async () => {
  const rounds = Array.from({ length: 24 }, async (_, round) => {
    const mark = randomBytes(16).toString('hex');
    const line = openLine(mark);
    const env = { PATH: '/usr/bin:/bin', [markName]: `${mark}.1` };
    // The keeper is up once the first is: from then on a launch takes a few milliseconds.
    await line.launch({ file, args, env, cwd: '/', isWrapped: false }, 1);
    const launched = line.launch({ file, args, env, cwd: '/', isWrapped: false }, 2);
    await pause(round / 2);
    await line.close();
    const came = await Promise.race([launched, pause(5000, 'nothing')]);
    if (typeof came === 'object' && 'exit' in came) await came.exit;
    return came === 'nothing' ? `round ${round}` : undefined;
  });
  expect((await Promise.all(rounds)).filter((each) => each !== undefined)).toEqual([]);
});

test.runIf(process.getuid?.() === 0)(
  "a tenant's next process is not taken for what its last one left behind",
  async () => {
    const mark = randomBytes(16).toString('hex');
    const line = openLine(mark);
    // No distribution's user; nothing else runs as it.
    const uid = 65_502;
    for (let id = 1; id <= 20; id++) {
      const env = { PATH: '/usr/bin:/bin', [markName]: `${mark}.${id}` };
      const launched = await line.launch({ file, args, env, cwd: '/', uid, isWrapped: false }, id);
      if ('cause' in launched) throw new Error(`launch ${id}: ${launched.words}`);
      line.signal(id, 'SIGKILL');
      await launched.exit;
      line.signal(id, 'SIGKILL');
    }
    await line.close();
  },
);
