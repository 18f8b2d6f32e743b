/**
 * The floor: the least that turns HTTP into stdio. One server, one child, no keys, no sessions, no limits, no logs.
 * It parses every message once each way, because it has to put its own id in and the client's back.
 * What the product costs on top of this is the price of everything it does.
 *
 * Usage: `node floor.mjs WORKER [ERA]`, with an IPC channel, on which it says its URL.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = new Map();
let lastId = 0;

let tail = '';
child.stdout.setEncoding('utf8');
child.stdout.on('data', (chunk) => {
  const lines = (tail + chunk).split('\n');
  tail = lines.pop();
  for (const line of lines) answer(JSON.parse(line));
});

function answer(message) {
  const { response, id } = waiting.get(message.id);
  waiting.delete(message.id);
  message.id = id;
  const body = JSON.stringify(message);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function forward(message, response) {
  if (message.id === undefined) {
    response.writeHead(202, { 'content-length': 0 }).end();
  } else {
    const id = ++lastId;
    waiting.set(id, { response, id: message.id });
    message.id = id;
  }
  child.stdin.write(JSON.stringify(message) + '\n');
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => forward(JSON.parse(body), response));
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}/mcp` }));
process.once('SIGTERM', () => {
  child.once('exit', () => process.exit(0));
  child.stdin.end();
});
