/** Two widely used bridges from stdio to Streamable HTTP, installed on demand and started as their READMEs say. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerFile } from './floor-process.mjs';
import { start, stop } from './processes.mjs';

const folder = fileURLToPath(new URL('.peers', import.meta.url));
const readyWithinMs = 20_000;

/** With the settings they come with. */
export const peers = [
  {
    package: 'supergateway@4.0.0',
    args: (port) => [
      ...['node_modules/supergateway/dist/index.js', '--stdio', `"${process.execPath}" "${workerFile}"`],
      ...['--outputTransport', 'streamableHttp', '--stateful', '--port', `${port}`],
    ],
  },
  {
    package: 'mcp-proxy@6.7.19',
    args: (port) => [
      ...['node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs', '--host', '127.0.0.1', '--port', `${port}`],
      ...['--server', 'stream', '--', process.execPath, workerFile],
    ],
  },
];

export function install() {
  const isThere = peers.every((peer) =>
    existsSync(path.join(folder, 'node_modules', peer.package.split('@', 1)[0])),
  );
  if (isThere) return;
  mkdirSync(folder, { recursive: true });
  const quietly = ['--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  execFileSync('npm', ['install', ...quietly, ...peers.map((peer) => peer.package)], { stdio: 'inherit' });
}

export async function startPeer({ args }) {
  const port = await freePort();
  // They start their servers through a shell, which does not always end with them: hence the group.
  const peer = start(args(port), { cwd: folder, isGroup: true, stdio: 'ignore' });
  await untilOpen(port, peer.child);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async stop() {
      await stop(peer);
      peer.kill('SIGKILL');
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function untilOpen(port, child) {
  const endAt = performance.now() + readyWithinMs;
  while (performance.now() < endAt && child.exitCode === null) {
    if (await isOpen(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${child.spawnargs.join(' ')} did not open its port`);
}

function isOpen(port) {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(true) || probe.destroy());
    probe.once('error', () => resolve(false));
  });
}
