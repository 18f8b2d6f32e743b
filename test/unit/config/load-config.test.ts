import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Config, defaultConfigFile, loadConfig } from '../../../src/config/load-config.ts';
import { type Problem } from '../../../src/yaml/problem.ts';

const cwd = process.cwd();
let dir: string;
let file: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'config-')));
  file = path.join(dir, 'my.yaml');
  process.chdir(dir);
});
afterEach(() => {
  process.chdir(cwd);
  rmSync(dir, { recursive: true });
});

function loaded(text: string): Config {
  writeFileSync(file, text);
  const result = loadConfig(file, {});
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}
function problems(text: string): readonly Problem[] {
  writeFileSync(file, text);
  const result = loadConfig(file, {});
  return 'problems' in result ? result.problems : [];
}

describe('an empty file is a sound one', () => {
  test('and this is every default', () => {
    expect(loaded('')).toEqual({
      listen: { host: '127.0.0.1', port: 8080, allowedHosts: [], allowedOrigins: [], trustedProxies: [] },
      tenants: path.join(dir, 'tenants'),
      state: path.join(dir, '.proxy/state'),
      secrets: {
        vault: path.join(dir, '.proxy/vault'),
        masterKey: { file: path.join(dir, '.proxy/master.key') },
        cache: 300_000,
      },
      admin: { socket: path.join(dir, '.proxy/admin.sock') },
      workers: {
        max: 200,
        isolation: 'auto',
        cgroups: 'auto',
        limits: { memory: 4 * 1024 ** 3, processes: 512, files: 4096 },
        passEnv: [],
        stopGrace: 2000,
        sweepEvery: 1000,
      },
      sessions: {
        idle: 1_800_000,
        maxAge: 86_400_000,
        max: 10_000,
        maxPerTenant: 1000,
        replay: { events: 500, perSession: 4 * 1024 ** 2, total: 64 * 1024 ** 2, keep: 300_000, retry: 1000 },
      },
      limits: {
        body: 4 * 1024 ** 2,
        depth: 64,
        connections: 2000,
        badKeys: 60,
        inFlight: 10_000,
        inFlightPerTenant: 1000,
        loopDelay: 1000,
      },
      defaults: {
        pool: {
          min: 0,
          max: 5,
          idle: 600_000,
          maxLifetime: 3_600_000,
          maxRequests: 0,
          sharing: 'shared',
          concurrency: 32,
          queue: 256,
          wait: 30_000,
          remember: true,
        },
        deadline: { call: 60_000, max: 300_000 },
      },
      log: { level: 'info', format: 'json' },
      tenantIds: { pattern: '^[a-z0-9_-]{1,63}$' },
      file,
      folder: dir,
    });
  });

  test.each([
    '# only a comment\n',
    '---\n',
    'listen: {}\nworkers: {}\ndefaults: {}\n',
    'defaults: { pool: {} }\n',
  ])('%j says the same', (text) => {
    expect(loaded(text)).toEqual(loaded(''));
  });

  test('one key that is said leaves the others beside it', () => {
    expect(loaded('defaults: { pool: { max: 9 } }\nlisten: { port: 1 }\n')).toMatchObject({
      listen: { host: '127.0.0.1', port: 1 },
      defaults: { pool: { max: 9, concurrency: 32 }, deadline: { call: 60_000 } },
    });
  });
});

describe('a file that is not there', () => {
  test('is an empty one, if nobody named it', () => {
    const result = loadConfig(undefined, {});
    expect(result).toMatchObject({ config: { listen: { port: 8080 }, folder: dir } });
    expect(defaultConfigFile).toBe('proxy.config.yaml');
  });

  test('is a problem, if somebody did', () => {
    const message = expect.stringMatching(/no such file; name another with --config/) as string;
    expect(loadConfig('other.yaml', {})).toEqual({
      problems: [{ file: 'other.yaml', line: 0, column: 0, code: 'UNREADABLE', message }],
    });
  });

  test('and nobody naming it does not help one that is there and broken', () => {
    writeFileSync(path.join(dir, defaultConfigFile), 'lisen: {}\n');
    expect(loadConfig(undefined, {})).toMatchObject({ problems: [{ file: defaultConfigFile, line: 1 }] });
  });

  test('a folder in its place is a problem', () => {
    mkdirSync(path.join(dir, 'folder.yaml'));
    expect(loadConfig('folder.yaml', {})).toMatchObject({ problems: [{ code: 'UNREADABLE', line: 0 }] });
  });
});

describe('paths', () => {
  test('are relative to the folder of the file, not to where the proxy is started', () => {
    mkdirSync(path.join(dir, 'etc'));
    writeFileSync(path.join(dir, 'etc/p.yaml'), 'tenants: ../who\nadmin: { socket: run/a.sock }\n');
    expect(loadConfig('etc/p.yaml', {})).toMatchObject({
      config: {
        folder: path.join(dir, 'etc'),
        tenants: path.join(dir, 'who'),
        secrets: { vault: path.join(dir, 'etc/.proxy/vault') },
        admin: { socket: path.join(dir, 'etc/run/a.sock') },
      },
    });
  });

  test('that are absolute stay', () => {
    expect(loaded('tenants: /srv/tenants\nadmin: { socket: /run/a.sock }\n')).toMatchObject({
      tenants: '/srv/tenants',
      secrets: {
        vault: path.join(dir, '.proxy/vault'),
        masterKey: { file: path.join(dir, '.proxy/master.key') },
        cache: 300_000,
      },
      admin: { socket: '/run/a.sock' },
    });
  });
});

describe('what is wrong is told with its place', () => {
  test.each([
    ['lisen: {}', '1:1', /write "listen"\?/],
    ['listen: { prot: 1 }', '1:11', /under listen; write "port"\?/],
    ['listen: { port: 70000 }', '1:11', /listen\.port/],
    ['listen: { port: -1 }', '1:11', /between 0 and 65535/],
    ['listen: { port: "80" }', '1:11', /between 0 and 65535/],
    ['workers: { max: 0 }', '1:12', /workers\.max/],
    ['workers: { max: 1.5 }', '1:12', /workers\.max/],
    ['workers: { passEnv: [A, "B C"] }', '1:25', /workers\.passEnv\[1\]/],
    ['sessions: { idle: 30 }', '1:13', /write a duration such as "30s"/],
    ['sessions: { idle: 30 minutes }', '1:13', /a number and a unit/],
    ['limits: { body: 4MB }', '1:11', /KiB, MiB or GiB/],
    ['log:\n  level: loud', '2:3', /debug/],
    ['log: { format: xml }', '1:8', /json/],
    ['defaults:\n  pool:\n    sharing: no', '3:5', /shared/],
    ['tenantIds: { pattern: "[" }', '1:14', /write a regular expression/],
    ['tenants: ""', '1:1', /tenants/],
    ['tenants: [a]', '1:1', /tenants/],
    ['listen: [', '1:10', /./],
    ['- a', '1:1', /the file/],
  ])('%j', (text, place, message) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    const [{ line, column, ...problem }] = found as [Problem];
    expect(`${line}:${column}`).toBe(place);
    expect(problem.file).toBe(file);
    expect(problem.message).toMatch(message);
  });

  test('all at once', () => {
    expect(problems('lisen: {}\nlog: { level: loud }\nworkers: { max: x }\n')).toHaveLength(3);
  });
});

test('defaults that contradict one another are a problem, whatever tenants say', () => {
  expect(problems('defaults:\n  pool:\n    min: 6\n')).toMatchObject([
    { line: 3, column: 5, message: 'defaults.pool.min: this is more than defaults.pool.max' },
  ]);
  expect(problems('defaults: { pool: { min: 6, max: 6 } }')).toEqual([]);
  expect(problems('defaults:\n  deadline: { max: 30s }\n')).toMatchObject([
    { line: 2, column: 3, message: 'defaults.deadline: call is longer than max; raise max too' },
  ]);
});
