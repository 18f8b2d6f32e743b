import { medianOfPairs, spread } from './numbers.mjs';

/**
 * A row of the result: what was measured, the figures it comes from, and whether the target was reached.
 * `reached` is undefined where there is no target, or where something went wrong that makes the figure worthless.
 */
const columns = [
  ['scenario', 'scenario'],
  ['what', 'what'],
  ['floor', 'floor'],
  ['proxy', 'proxy'],
  ['result', 'result'],
  ['target', 'target'],
  ['verdict', 'reached'],
];

const verdicts = new Map([
  [true, 'yes'],
  [false, 'NO'],
]);

export function table(rows) {
  const cells = rows.map((row) => {
    const shown = { ...row, verdict: verdicts.get(row.reached) ?? '' };
    return columns.map(([key]) => shown[key] ?? '–');
  });
  const lines = [columns.map(([, title]) => title), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const [title, ...body] = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at]))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [title, rule, ...body, ...notes(rows)].join('\n');
}

function notes(rows) {
  return rows.filter(({ note }) => note !== undefined).map(({ what, note }) => `  · ${what}: ${note}`);
}

/** Errors of a run, as rows print them: a throughput with errors in it is no throughput. */
export function failures(runs) {
  const errors = runs.reduce((sum, run) => sum + run.errors, 0);
  if (errors === 0) return undefined;
  return `${errors} ERRORS, e.g. ${runs.flatMap(({ firstErrors }) => firstErrors)[0]}`;
}

/** What is added to each time, in milliseconds, and `most` may be. */
export function addedMsRow(floor, proxy, { what, most, digits = 0 }) {
  const added = medianOfPairs(proxy, floor, (ours, theirs) => ours - theirs);
  return {
    what,
    floor: spread(floor, digits),
    proxy: spread(proxy, digits),
    result: `${added.toFixed(Math.max(1, digits))} ms more`,
    target: `≤ ${most} ms more`,
    reached: added <= most,
    value: added,
  };
}

/** Processor time per call of measured runs; the ratio may be `most`. */
export function usPerCallRow(floor, proxy, { what, most }) {
  const of = (runs) => runs.map(({ usPerCall }) => usPerCall);
  const ratio = medianOfPairs(of(proxy), of(floor), (ours, theirs) => ours / theirs);
  return {
    what,
    floor: spread(of(floor), 1),
    proxy: spread(of(proxy), 1),
    result: `${ratio.toFixed(2)} ×`,
    target: `≤ ${most} ×`,
    reached: ratio <= most,
    value: ratio,
  };
}
