import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/** The package has no main file of its own to ask for, so its place is found by its manifest. */
const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
const cli = path.join(path.dirname(manifest), 'dist/index.js');

const run = (args: readonly string[], timeout: number): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...args],
      { timeout, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
      },
    );
  });

/** Scenario names as the package itself knows them, so that one it leaves out of a run is missed. */
export async function serverScenarios(): Promise<string[]> {
  const { output } = await run(['list', '--server'], 20_000);
  return [...output.matchAll(/^ {2}- (\S+)$/gm)].map(([, name = '']) => name);
}

/** Runs every server scenario, pending ones too, and reads what it wrote down: its printed summary hides warnings. */
export async function runSuite(url: string): Promise<{ checks: Map<string, Check[]>; output: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'conformance-'));
  try {
    const { output } = await run(['server', '--url', url, '--suite', 'all', '--output-dir', folder], 110_000);
    const checks = new Map<string, Check[]>();
    for (const entry of await readdir(folder)) {
      const scenario = entry.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
      checks.set(
        scenario,
        JSON.parse(await readFile(path.join(folder, entry, 'checks.json'), 'utf8')) as Check[],
      );
    }
    return { checks, output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
