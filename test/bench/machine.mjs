/** Where this was measured, and how steady the machine was meanwhile: a ratio is worth no more than its noise. */
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { startFloor } from './floor-process.mjs';
import { startLoad } from './load-process.mjs';
import { decimals, megabytes, percent } from './numbers.mjs';
import { msPerTick, ownProcessorMs } from './process-time.mjs';

const runs = 5;

export function machine() {
  const processors = cpus();
  return {
    node: process.version,
    processors: processors.length,
    model: processors[0]?.model.trim() ?? 'unknown',
    memoryMb: Math.round(megabytes(totalmem())),
  };
}

/**
 * Starts to watch what others use of the machine. The function that comes back says which share that was,
 * once everything we have started has ended.
 */
export function watchOthers() {
  const before = { ...times(), own: ownProcessorMs() };
  return () => {
    const after = { ...times(), own: ownProcessorMs() };
    const others = after.busy - before.busy - (after.own - before.own);
    return Math.max(0, others) / (after.all - before.all);
  };
}

/** In milliseconds, over all processors. What the host took from a virtual machine (`steal`) is busy too. */
function times() {
  const [line] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, number) => sum + number, 0) * msPerTick;
  const [, , , idle, waiting] = ticks;
  return { busy: all - (idle + waiting) * msPerTick, all };
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

export function heading({ node, processors, model, memoryMb }, { min, max }) {
  return [
    `node ${node} · ${processors} × ${model} · ${memoryMb} MB`,
    `noise: the floor five times, ${decimals(min, 0)}–${decimals(max, 0)} calls/s (${percent(max / min - 1)} apart)`,
  ].join('\n');
}
