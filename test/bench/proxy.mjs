/** Starts the built product as its users do: a folder with YAML files, and `proxy serve` on it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerFile } from './floor-process.mjs';
import { start, stop } from './processes.mjs';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const readyWithinMs = 30_000;
const pollMs = 20;

const config = `listen: { host: 127.0.0.1, port: 0 }
tenants: ./tenants
admin: { socket: ./admin.sock }
log: { level: warn }
`;

/**
 * `tenants`: how many, each with one key and one worker at most; `settings`: more lines of `proxy.config.yaml`;
 * `nodeArgs`: for a profile, say; `era` and `env`: of the workers; `servers`: of the tenants, in their order, the arguments
 * for Node where they are others.
 */
export async function startProxy(options = {}) {
  const { tenants = 1, settings = '', nodeArgs = [], era = 'legacy', env = {}, servers = [] } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const file = path.join(folder, 'proxy.config.yaml');
  writeFileSync(file, config + settings);
  const keys = writeTenants(path.join(folder, 'tenants'), tenants, { era, env, servers });
  const proxy = start([...nodeArgs, cli, 'serve', '--config', file], { cwd: folder });
  const status = () => ask(path.join(folder, 'admin.sock'), '/v1/status');
  const { url } = await untilReady(status, proxy.child);
  return {
    url,
    keys,
    pid: proxy.pid,
    folder,
    status,
    /** End all idle workers. */
    reap: () => ask(path.join(folder, 'admin.sock'), '/v1/reap', 'POST'),
    async stop() {
      await stop(proxy);
      process.off('exit', removeFolder);
      removeFolder();
    },
  };
}

function writeTenants(folder, count, server) {
  mkdirSync(folder);
  return Array.from({ length: count }, (_, at) => {
    const key = `mcpx_bench_${randomBytes(16).toString('hex')}`;
    writeFileSync(
      path.join(folder, `t${at}.yaml`),
      tenantFile(`t${at}`, key, { ...server, words: server.servers[at] ?? [workerFile, server.era] }),
    );
    return key;
  });
}

// JSON strings are YAML strings: no path has to be escaped in another way.
const tenantFile = (id, key, { era, env, words }) => `tenant: ${id}
keys: [{ name: bench, sha256: "${createHash('sha256').update(key).digest('hex')}" }]
server: { command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify(words.map(String))}, era: ${era}, env: ${JSON.stringify(env)} }
pool: { max: 1 }
`;

async function untilReady(status, child) {
  const endAt = performance.now() + readyWithinMs;
  while (performance.now() < endAt && child.exitCode === null) {
    const answer = await status().catch(() => undefined);
    if (answer?.state === 'ready') return answer;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`the proxy was not ready within ${readyWithinMs} ms`);
}

function ask(socketPath, address, method = 'GET') {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: address, method }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve(JSON.parse(body)));
    });
    asked.once('error', reject);
    asked.end();
  });
}
