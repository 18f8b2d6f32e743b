/**
 * The load generator: a process of its own, so that what it costs is nobody else's processor time.
 * It is forked by `load-process.mjs` and does one job after another for it.
 */
import { Client } from './client.mjs';

const clients = [];
const listeners = [];

/** Connects clients and opens sessions; `callers` says for whom: `{ key, connections, sessions, progress, modern }`. */
async function open({ url, callers }) {
  const groups = callers.map(async ({ key, connections, sessions, progress, modern }) => {
    const group = Array.from({ length: connections }, () => new Client({ url, key, progress, modern }));
    clients.push(...group);
    await Promise.all(group.map((client) => client.connect()));
    const openers = group.slice(0, sessions);
    await Promise.all(openers.map((client) => client.open()));
    const others = group.slice(sessions);
    await Promise.all(others.map((client, at) => client.open(openers[at % sessions].session)));
  });
  await Promise.all(groups);
}

/** Every client calls, and calls again as soon as it is answered, for some seconds or a number of calls each. */
async function run({ seconds = Infinity, callsEach = Infinity }) {
  const times = [];
  const errors = [];
  await Promise.all(clients.map((client) => client.reconnect()));
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  await Promise.all(clients.map((client) => keepCalling(client, { callsEach, endAt, times, errors })));
  const tookMs = performance.now() - startedAt;
  return {
    calls: times.length,
    perSecond: (times.length / tookMs) * 1000,
    errors: errors.length,
    firstErrors: errors.slice(0, 3).map(({ message }) => message),
    ...percentiles(times),
  };
}

/** A client whose call has failed stops: its connection may hold the rest of an answer. */
function keepCalling(client, { callsEach, endAt, times, errors }) {
  return new Promise((resolve) => {
    let left = callsEach;
    let askedAt = 0;
    const answered = (error) => {
      const now = performance.now();
      if (error !== undefined) {
        errors.push(error);
        return void resolve();
      }
      times.push(now - askedAt);
      if (--left > 0 && now < endAt) ask(now);
      else resolve();
    };
    const ask = (now) => {
      askedAt = now;
      client.echo(answered);
    };
    ask(performance.now());
  });
}

function percentiles(times) {
  const sorted = Float64Array.from(times).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** What somebody waits who is the first of the day: from `initialize` to the answer of the first call. */
async function firstCall({ url, key }) {
  const client = new Client({ url, key });
  await client.connect();
  const startedAt = performance.now();
  await client.open();
  await new Promise((resolve, reject) => client.echo((error) => (error ? reject(error) : resolve())));
  const tookMs = performance.now() - startedAt;
  client.close();
  return tookMs;
}

/** What somebody waits who only wants to be let in: the answer to `initialize`. */
async function handshake({ url, key }) {
  const client = new Client({ url, key });
  await client.connect();
  const startedAt = performance.now();
  await client.open();
  const tookMs = performance.now() - startedAt;
  client.close();
  return tookMs;
}

/** Opens `count` sessions for each key, one after another on one connection, and leaves them be. */
async function leaveOpen({ url, keys, count }) {
  const leavers = keys.map(async (key) => {
    const client = new Client({ url, key });
    await client.connect();
    for (let opened = 0; opened < count; opened++) await client.open();
    client.close();
  });
  await Promise.all(leavers);
}

/** Opens `count` sessions for each key, all with a connection of its own, which is idle so far. */
async function prepareListeners({ url, keys, count }) {
  for (let opened = 0; opened < count; opened++) {
    await Promise.all(
      keys.map(async (key) => {
        const client = new Client({ url, key });
        await client.connect();
        await client.open();
        client.close();
        listeners.push(client);
      }),
    );
  }
}

/** Has them listen, some at a time: a queue of connections has an end. */
async function listen() {
  const atOnce = 100;
  for (let at = 0; at < listeners.length; at += atOnce) {
    await Promise.all(
      listeners.slice(at, at + atOnce).map(async (client) => {
        await client.reconnect();
        await client.listen();
      }),
    );
  }
  return listeners.length;
}

function close() {
  for (const client of [...clients.splice(0), ...listeners.splice(0)]) client.close();
}

const jobs = { open, run, firstCall, handshake, leaveOpen, prepareListeners, listen, close };

process.on('message', async ({ id, job, args }) => {
  try {
    process.send({ id, value: await jobs[job](args) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
