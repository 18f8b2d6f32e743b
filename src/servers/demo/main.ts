import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { addTools } from './tools.ts';

/**
 * A small real MCP server for a first try: it says for which account it runs and keeps notes in memory,
 * so that one sees two tenants never meet. Stands alone: it knows nothing of the proxy around it.
 */
const account = process.env['ACCOUNT'] ?? 'nobody';
const server = new McpServer(
  { name: 'demo', version: '1.0.0' },
  { instructions: 'A demo. Ask `whoami` for the account; notes live in memory and belong to that account.' },
);

const { notes } = addTools(server, { account, hasToken: Boolean(process.env['API_TOKEN']) });

server.registerResource(
  'notes',
  'demo://notes',
  { title: 'Notes', description: 'Every note of this account', mimeType: 'text/plain' },
  (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: notes.join('\n') }] }),
);

server.registerPrompt(
  'summarise-notes',
  { title: 'Summarise the notes', description: 'Asks for a summary of all notes of this account' },
  () => ({
    messages: [
      {
        role: 'user',
        content: { type: 'text', text: `Summarise these notes of ${account}:\n${notes.join('\n')}` },
      },
    ],
  }),
);

await server.connect(new StdioServerTransport());
// stdout belongs to the protocol; whatever a server has to say to people goes to stderr.
process.stderr.write(`demo server for ${account} is ready (pid ${process.pid})\n`);
