/** One server of one tenant as a client sees it. */
export interface ClientTarget {
  /** What the client will call it: the tenant, or tenant-server where there are several. */
  readonly name: string;
  readonly url: string;
  readonly key: string;
}

/** Stands where a key is not known; shells and clients refuse it clearly, and people see what to do. */
export const keyPlaceholder = 'YOUR_KEY';

/** Everything that can be pasted into a client. */
export function clientTexts(target: ClientTarget): string {
  return [
    ['Claude Code', claudeLine(target)],
    ['Cursor (.cursor/mcp.json)', cursorJson(target)],
    ['VS Code (.vscode/mcp.json)', vscodeJson(target)],
    ['curl', curlLine(target)],
    ['MCP Inspector', inspectorLine(target)],
  ]
    .map(([title, text]) => `  ${title}:\n${indented(text ?? '')}\n`)
    .join('\n');
}

export function claudeLine({ name, url, key }: ClientTarget): string {
  return `claude mcp add --transport http ${name} ${url} --header "Authorization: Bearer ${key}"`;
}

export function cursorJson({ name, url, key }: ClientTarget): string {
  return json({ mcpServers: { [name]: { url, headers: { Authorization: `Bearer ${key}` } } } });
}

export function vscodeJson({ name, url, key }: ClientTarget): string {
  return json({ servers: { [name]: { type: 'http', url, headers: { Authorization: `Bearer ${key}` } } } });
}

export function curlLine({ url, key }: ClientTarget): string {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'curl', version: '1' } },
  });
  return [
    `curl -i ${url} -H "Authorization: Bearer ${key}"`,
    `-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream'`,
    `-d '${body}'`,
  ].join(' \\\n  ');
}

/** `@latest`, because on Node 20 npx would take an old version instead, which cannot send a header. */
export function inspectorLine({ url, key }: ClientTarget): string {
  return (
    `npx @modelcontextprotocol/inspector@latest --cli ${url} --transport http --method tools/list ` +
    `--header "Authorization: Bearer ${key}"`
  );
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);
const indented = (text: string): string => text.replace(/^/gm, '    ');
