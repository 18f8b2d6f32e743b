/** Where this was measured, and how steady the machine was meanwhile: a ratio is worth no more than its noise. */
import { cpus, totalmem } from 'node:os';
import { startFloor } from './floor-process.mjs';
import { startLoad } from './load-process.mjs';
import { decimals, megabytes, percent } from './numbers.mjs';

const runs = 5;
const lookMs = 1000;

export async function machine() {
  const processors = cpus();
  return {
    node: process.version,
    processors: processors.length,
    model: processors[0]?.model.trim() ?? 'unknown',
    memoryMb: Math.round(megabytes(totalmem())),
    busyWithOthers: await busyShare(),
  };
}

/** How much of the machine others use, seen before we start anything. */
async function busyShare() {
  const before = times();
  await new Promise((resolve) => setTimeout(resolve, lookMs));
  const after = times();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

function times() {
  const all = cpus().map((processor) => processor.times);
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  return { idle: sum(all.map(({ idle }) => idle)), all: sum(all.flatMap(Object.values)) };
}

/** The same thing five times: the floor at 32 connections. */
export async function noise({ seconds }) {
  const floor = await startFloor();
  const load = startLoad();
  const perSecond = [];
  await load.open({ url: floor.url, callers: [{ connections: 32, sessions: 32 }] });
  await load.run({ seconds });
  for (let at = 0; at < runs; at++) perSecond.push((await load.run({ seconds })).perSecond);
  await load.close();
  await load.stop();
  await floor.stop();
  return { min: Math.min(...perSecond), max: Math.max(...perSecond) };
}

export function heading({ node, processors, model, memoryMb, busyWithOthers }, { min, max }) {
  return [
    `node ${node} · ${processors} × ${model} · ${memoryMb} MB · ${percent(busyWithOthers)} busy before we began`,
    `noise: the floor five times, ${decimals(min, 0)}–${decimals(max, 0)} calls/s (${percent(max / min - 1)} apart)`,
  ].join('\n');
}
