import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Child, childEnvironment } from '../../../src/workers/launch.ts';
import { type ServerSpec } from '../../../src/workers/spec.ts';
import { useLauncher } from '../../support/use-launcher.ts';
import { secrets, someSpec } from './some-worker.ts';

const { launch } = useLauncher();

/** A child that runs `script`, and is gone after the test whatever happens. */
const run = (
  script: string,
  own: Partial<ServerSpec> = {},
  passEnv: readonly string[] = [],
): Promise<Child> => launch(someSpec(['-e', script], own), { passEnv });
const printed = async ({ stdout }: Child) => JSON.parse(await text(stdout)) as unknown;
const firstChunk = ({ stdout }: Child) =>
  new Promise<string>((resolve) => stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the environment of a child', () => {
  const sayEnvironment = 'console.log(JSON.stringify(process.env))';
  const basics = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'SystemRoot'];

  test('holds nothing of the proxy’s own that could be a secret', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 's3cret');
    vi.stubEnv('NODE_OPTIONS', '--no-deprecation');
    vi.stubEnv('LANG', 'en_GB.UTF-8');
    const env = (await printed(await run(sayEnvironment, { env: secrets({ API_KEY: 'own' }) }))) as Record<
      string,
      string
    >;
    expect(env).toMatchObject({ API_KEY: 'own', LANG: 'en_GB.UTF-8', PATH: process.env['PATH'] });
    const allowed = new Set([...basics, 'PYTHONUNBUFFERED', 'API_KEY', 'MCPX_WORKER']);
    expect(Object.keys(env).filter((name) => !allowed.has(name))).toEqual([]);
  });

  test('holds what the operator passes on, by name', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.example');
    vi.stubEnv('HTTPS_PROXY_PASSWORD', 's3cret');
    const env = await printed(await run(sayEnvironment, {}, ['HTTPS_PROXY', 'NOT_SET']));
    expect(env).toMatchObject({ HTTPS_PROXY: 'http://proxy.example' });
    expect(env).not.toHaveProperty('HTTPS_PROXY_PASSWORD');
    expect(env).not.toHaveProperty('NOT_SET');
  });

  test('the tenant’s own word is the last', () => {
    const own = { PATH: '/proxy', EXTRA: 'proxy' };
    const env = { PATH: '/tenant', EXTRA: 'tenant', PYTHONUNBUFFERED: '' };
    expect(childEnvironment({ env: secrets(env) }, own, ['EXTRA'])).toEqual(env);
  });

  test('of two tenants have nothing in common but the basics', () => {
    const own = { PATH: '/bin', HOME: '/root' };
    const a = childEnvironment({ env: secrets({ TOKEN: 'a' }) }, own, []);
    const b = childEnvironment({ env: secrets({ OTHER: 'b' }) }, own, []);
    expect(a).toEqual({ PYTHONUNBUFFERED: '1', ...own, TOKEN: 'a' });
    expect(b).toEqual({ PYTHONUNBUFFERED: '1', ...own, OTHER: 'b' });
  });
});

describe('a child', () => {
  test('gets its arguments as they are: no shell reads them', async () => {
    const args = ['$HOME', '; echo no', '`id`', '*', 'a b', '"', ''];
    const spec = someSpec(['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args]);
    expect(await printed(await launch(spec))).toEqual(args);
  });

  test('starts where it is told to', async () => {
    expect(await printed(await run('console.log(JSON.stringify(process.cwd()))', { cwd: tmpdir() }))).toBe(
      tmpdir(),
    );
  });

  test('talks in bytes, not one of them touched', async () => {
    const child = await run('process.stdin.pipe(process.stdout); process.stderr.write("\\n\\n")');
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, at) => at % 256));
    child.stdin.end(Buffer.concat([bytes, Buffer.from('\n')]));
    const [out, err] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
    expect(out.equals(Buffer.concat([bytes, Buffer.from('\n')]))).toBe(true);
    expect(err).toBe('\n\n');
  });

  test('is heard from its first word on, by a proxy that has much else to do', async () => {
    // Receipts of its pipes are late then, and it has spoken before they are there.
    const busy = setInterval(() => {
      for (const end = performance.now() + 300; performance.now() < end;);
    }, 1);
    const child = await run('process.stderr.write("first"); process.stdout.write("first")');
    const said = await Promise.all([text(child.stdout), text(child.stderr)]);
    clearInterval(busy);
    expect(said).toEqual(['first', 'first']);
  });

  test('leads a process group of its own', async () => {
    const child = await run('console.log(1); process.stdin.resume()');
    await firstChunk(child);
    // Signal 0 only asks; it throws if there is no group of that id.
    expect(() => process.kill(-child.pid!, 0)).not.toThrow();
    child.stdin.end();
    await child.exit;
  });
});

describe('the exit', () => {
  test('tells the exit code', async () => {
    expect(await (await run('process.exit(3)')).exit).toEqual({
      exitCode: 3,
      signal: undefined,
      cause: undefined,
    });
    expect(await (await run('')).exit).toMatchObject({ exitCode: 0 });
  });

  test('tells the signal', async () => {
    const child = await run('console.log(1); process.stdin.resume()');
    await firstChunk(child);
    child.signalGroup('SIGTERM');
    expect(await child.exit).toEqual({ exitCode: undefined, signal: 'SIGTERM', cause: undefined });
  });

  test.each([
    ['a missing command', { command: '/nowhere/no-such-command' }, 'ENOENT'],
    ['a missing folder', { cwd: '/nowhere' }, 'ENOENT'],
    ['a file that is no program', { command: new URL(import.meta.url).pathname }, 'EACCES'],
  ])('of %s tells why it did not start', async (_what, own, cause) => {
    const child = await run('', own);
    expect(await child.exit).toMatchObject({ cause });
    expect(child.pid).toBeUndefined();
    // Nobody is there to hear it.
    child.signalGroup('SIGKILL');
    child.stdin.on('error', () => undefined);
    child.stdin.end('hello');
  });

  test('does not wait for a grandchild that holds the pipes, and the group’s signal still reaches that', async () => {
    const child = await run(`
      const { spawn } = require('node:child_process');
      // Ends by itself one day, should this test fail to end it.
      const script = "process.on('SIGTERM', () => {}); console.log(1); setTimeout(() => {}, 60_000)";
      const grandchild = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'ignore'] });
      grandchild.unref();
    `);
    const { stdout } = child;
    let isOpen = true;
    const closed = new Promise<void>((resolve) => {
      stdout.once('close', () => {
        isOpen = false;
        resolve();
      });
    });
    await new Promise((resolve) => stdout.once('data', resolve));
    expect(await child.exit).toMatchObject({ exitCode: 0 });
    expect(isOpen).toBe(true);
    child.signalGroup('SIGKILL');
    // The grandchild was the last to hold stdout, so its end is the end of the pipe.
    await closed;
  });
});

test('secrets are in the environment, never in the command line that everybody on the machine can read', async () => {
  const child = await run('console.log(1); process.stdin.resume()', { env: secrets({ TOKEN: 's3cret' }) });
  await firstChunk(child);
  if (process.platform === 'linux')
    expect(readFileSync(`/proc/${child.pid!}/cmdline`, 'utf8')).not.toContain('s3cret');
  child.stdin.end();
  await child.exit;
});
