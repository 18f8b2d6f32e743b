import { expect, test } from 'vitest';
import { clientTexts, cursorJson, vscodeJson } from '../../../src/cli/client-texts.ts';

const target = { name: 'acme', url: 'http://127.0.0.1:8080/mcp', key: 'mcpx_k_s' };

test('every client gets its line or its JSON, with URL and key', () => {
  const text = clientTexts(target);
  expect(text).toContain(
    'claude mcp add --transport http acme http://127.0.0.1:8080/mcp --header "Authorization: Bearer mcpx_k_s"',
  );
  expect(text).toContain(
    'npx @modelcontextprotocol/inspector@latest --cli http://127.0.0.1:8080/mcp --transport http',
  );
  expect(text).toContain('curl -i http://127.0.0.1:8080/mcp -H "Authorization: Bearer mcpx_k_s"');
});

test('the JSON is what the editors read', () => {
  const headers = { Authorization: 'Bearer mcpx_k_s' };
  expect(JSON.parse(cursorJson(target))).toEqual({ mcpServers: { acme: { url: target.url, headers } } });
  expect(JSON.parse(vscodeJson(target))).toEqual({
    servers: { acme: { type: 'http', url: target.url, headers } },
  });
});
