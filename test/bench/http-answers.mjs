/**
 * As much of HTTP/1.1 as an answer of an MCP server needs. Bytes are read as latin1 (one character each), so that
 * lengths are lengths; the benchmark only sends ASCII. `node:http` as a client would cost more than what is measured.
 */

const patterns = {
  'content-length': /\r\ncontent-length: *(\d+)/i,
  'content-type': /\r\ncontent-type: *([^;\r]+)/i,
  'transfer-encoding': /\r\ntransfer-encoding: *([^\r]+)/i,
  'mcp-session-id': /\r\nmcp-session-id: *([^\r]+)/i,
};

/** The first answer in `text`, and where it ends; undefined while it is not all there. */
export function takeAnswer(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const status = Number(text.slice(9, 12));
  const head = text.slice(0, headEnd + 2);
  const from = headEnd + 4;
  const length = lengthIn(head, status);
  if (length === undefined) return takeChunked(text, from, { status, head });
  const end = from + length;
  return text.length < end ? undefined : { status, head, body: text.slice(from, end), end };
}

/** Undefined if the answer says its length piece by piece. */
function lengthIn(head, status) {
  const written = headerIn(head, 'content-length');
  if (written !== undefined) return Number(written);
  if (headerIn(head, 'transfer-encoding') === 'chunked') return undefined;
  if (status === 204) return 0;
  throw new Error(`an answer without a length: ${head}`);
}

function takeChunked(text, from, answer) {
  let body = '';
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const start = lineEnd + 2;
    const end = start + size;
    if (text.length < end + 2) return undefined;
    if (size === 0) return { ...answer, body, end: end + 2 };
    body += text.slice(start, end);
    at = end + 2;
  }
}

/** A header's value; undefined if it is not there. */
export function headerIn(head, name) {
  return patterns[name].exec(head)?.[1];
}

/** The JSON-RPC message with this id in an answer's body, be it plain JSON or a stream of events. */
export function messageIn({ head, body }, id) {
  if (headerIn(head, 'content-type') !== 'text/event-stream') return JSON.parse(body);
  for (const event of body.split(/\r?\n\r?\n/)) {
    const data = dataOf(event);
    if (data === '') continue;
    const message = JSON.parse(data);
    if (message.id === id) return message;
  }
  throw new Error(`no event answers ${id}: ${body.slice(0, 200)}`);
}

function dataOf(event) {
  return event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length))
    .join('\n')
    .trim();
}
