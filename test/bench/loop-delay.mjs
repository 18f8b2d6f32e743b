/** Loaded into a process that is measured: at SIGUSR2 it writes how late its event loop was since the last time. */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const nsPerMs = 1e6;
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();

process.on('SIGUSR2', () => {
  const [p999Ms, maxMs] = [histogram.percentile(99.9), histogram.max].map((ns) => ns / nsPerMs);
  histogram.reset();
  writeFileSync('loop-delay.tmp', JSON.stringify({ p999Ms, maxMs }));
  renameSync('loop-delay.tmp', 'loop-delay.json');
});
