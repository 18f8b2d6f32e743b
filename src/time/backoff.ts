/** Growing waits: 0, then `baseMs`, doubled each time up to `maxMs`; half to all of it by chance, so that many do not come at once. */
export function backoff(
  failures: number,
  baseMs: number,
  maxMs: number,
  random: () => number = Math.random,
): number {
  if (failures <= 1) return 0;
  const full = Math.min(maxMs, baseMs * 2 ** (failures - 2));
  return full / 2 + (full / 2) * random();
}

/** `ms`, give or take up to `share` of it. */
export function jittered(ms: number, share: number, random: () => number = Math.random): number {
  return ms * (1 + share * (2 * random() - 1));
}
