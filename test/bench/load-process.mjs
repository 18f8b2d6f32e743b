/** The benchmark's side of the load generator. */
import { fileURLToPath } from 'node:url';
import { start, stop } from './processes.mjs';

const file = fileURLToPath(new URL('load.mjs', import.meta.url));
/** A bridge that swallows a call must not let the benchmark hang. */
const patienceMs = 120_000;

/** `{ open, run, firstCall, handshake, leaveOpen, prepareListeners, listen, close }`, as `load.mjs` has them, and `stop`. */
export function startLoad() {
  const load = start([file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map();
  let lastId = 0;
  load.child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  const ask = (job) => async (args) => {
    const id = ++lastId;
    let timer;
    const answer = new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      timer = setTimeout(
        () => reject(new Error(`the load generator did not finish: ${job}`)),
        patienceMs + 1000 * (args?.seconds ?? 0),
      );
    });
    load.child.send({ id, job, args: args ?? {} });
    return answer.finally(() => clearTimeout(timer));
  };
  return {
    open: ask('open'),
    run: ask('run'),
    firstCall: ask('firstCall'),
    handshake: ask('handshake'),
    leaveOpen: ask('leaveOpen'),
    prepareListeners: ask('prepareListeners'),
    listen: ask('listen'),
    close: ask('close'),
    stop: () => stop(load),
  };
}
