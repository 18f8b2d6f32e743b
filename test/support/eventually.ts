import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until `look` gives something that is neither undefined nor false: for what the product does in its own time.
 * Fails with the last thing seen once `withinMs` are over.
 */
export async function eventually<Value>(
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
  withinMs = 10_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${look.toString()}`);
    await pause(20);
  }
}
