/**
 * The MCP server behind everyone in the benchmark. `test/fixtures/servers/echo.mjs` remembers every id it has seen,
 * which tests need and a measurement does not: here nothing is done that the protocol does not ask for, so that on
 * two processors the bridge in front of it, and not this process, is what limits a run.
 */
const tools = [
  {
    name: 'echo',
    description: 'Says the text again.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  },
];

/** `modern` as the only argument: without `initialize` (2026-07-28). */
const isModern = process.argv[2] === 'modern';
const complete = isModern ? { resultType: 'complete' } : {};

const answers = {
  'server/discover': () => ({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    ttlMs: 0,
    cacheScope: 'private',
  }),
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'bench', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ ...complete, tools }),
  'tools/call': (params) => ({ ...complete, content: [{ type: 'text', text: params.arguments.text }] }),
};

function answerTo({ id, method, params }) {
  const isOfOtherEra = isModern ? method === 'initialize' : method === 'server/discover';
  const answer = isOfOtherEra ? undefined : answers[method];
  if (answer !== undefined) return { jsonrpc: '2.0', id, result: answer(params) };
  return { jsonrpc: '2.0', id, error: { code: -32601, message: `Method not found: ${method}` } };
}

/** Who asks to be told of progress is told once, ahead of the answer. */
function progressOf({ params }) {
  const progressToken = params?._meta?.progressToken;
  if (progressToken === undefined) return '';
  const told = { progressToken, progress: 1 };
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: told }) + '\n';
}

let tail = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (tail + chunk).split('\n');
  tail = lines.pop();
  let out = '';
  for (const line of lines) {
    if (line === '') continue;
    const message = JSON.parse(line);
    if (message.id !== undefined && message.method !== undefined)
      out += progressOf(message) + JSON.stringify(answerTo(message)) + '\n';
  }
  // Everything that came in one piece leaves in one piece: half the cost of a fast server is its system calls.
  if (out !== '') process.stdout.write(out);
});
process.stdin.on('end', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
