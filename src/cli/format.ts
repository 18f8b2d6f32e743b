/** `340ms`, `1.2s`, `12m`, `3h`, `4d`: short enough for a column. */
export function age(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)}s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)}m`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)}h`;
  return `${Math.round(ms / 86_400_000)}d`;
}

/** A call's time: finer than an age, because most are a few milliseconds. */
export function latency(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 10) return `${ms.toFixed(1)}ms`;
  return age(ms);
}

/** `42MiB`; `-` where the system does not tell. */
export function memory(bytes: number | null): string {
  if (bytes === null) return '-';
  const mib = bytes / 1024 ** 2;
  return mib < 1024 ? `${Math.round(mib)}MiB` : `${(mib / 1024).toFixed(1)}GiB`;
}
