import { type McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

interface Identity {
  readonly account: string;
  /** Whether a token was given; the token itself stays where it is. */
  readonly hasToken: boolean;
}

/** More notes than this push out the oldest: a demo must not grow without end. */
const maxNotes = 1_000;

const say = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });
const readOnly = { readOnlyHint: true };

/** The demo's tools; the notes are shared with its resource and its prompt. */
export function addTools(server: McpServer, identity: Identity): { readonly notes: readonly string[] } {
  addWhoami(server, identity);
  addEchoAndAdd(server);
  return { notes: addNotes(server) };
}

function addWhoami(server: McpServer, { account, hasToken }: Identity): void {
  server.registerTool(
    'whoami',
    {
      title: 'Who am I',
      description: 'The account this server runs for, its process id and its uptime',
      annotations: readOnly,
      outputSchema: {
        account: z.string(),
        pid: z.number(),
        uptimeSeconds: z.number(),
        hasToken: z.boolean(),
      },
    },
    () => {
      const answer = { account, pid: process.pid, uptimeSeconds: Math.round(process.uptime()), hasToken };
      return { ...say(JSON.stringify(answer)), structuredContent: answer };
    },
  );
}

function addEchoAndAdd(server: McpServer): void {
  server.registerTool(
    'echo',
    {
      title: 'Echo',
      description: 'Says what you say',
      inputSchema: { text: z.string() },
      annotations: readOnly,
    },
    ({ text }) => say(text),
  );
  server.registerTool(
    'add',
    {
      title: 'Add',
      description: 'The sum of two numbers',
      inputSchema: { a: z.number(), b: z.number() },
      annotations: readOnly,
    },
    ({ a, b }) => say(String(a + b)),
  );
}

function addNotes(server: McpServer): readonly string[] {
  const notes: string[] = [];
  server.registerTool(
    'note_add',
    {
      title: 'Add a note',
      description: 'Keeps a note in the memory of this process',
      inputSchema: { text: z.string().min(1).max(4_000) },
    },
    ({ text }) => {
      notes.push(text);
      if (notes.length > maxNotes) notes.shift();
      return say(`Kept; ${notes.length} in all`);
    },
  );
  server.registerTool(
    'note_list',
    { title: 'List notes', description: 'Every note kept by this process', annotations: readOnly },
    () => say(notes.length > 0 ? notes.join('\n') : 'No notes yet'),
  );
  return notes;
}
