/** Numbers, and how they are written in the table. */

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of `of(ours, theirs)` over rounds: what slows a whole round down slows both and cancels out. */
export function medianOfPairs(ours, theirs, of) {
  return median(ours.map((run, round) => of(run, theirs[round])));
}

export const decimals = (value, digits) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** `min–median–max`: a median alone would hide how much the runs differ. */
export function spread(numbers, digits) {
  return [Math.min(...numbers), median(numbers), Math.max(...numbers)]
    .map((value) => decimals(value, digits))
    .join('–');
}

export const megabytes = (bytes) => bytes / 1024 ** 2;
export const percent = (share) => `${decimals(share * 100, 0)} %`;
