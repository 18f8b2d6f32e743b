/** `sun_path` holds 108 bytes with the closing zero; the system would cut a longer path short without a word. */
const maxPathBytes = 107;

/** Why there can be no unix socket at this absolute path, and what to do; undefined if there can. */
export function socketPathTrouble(file: string): string | undefined {
  const size = Buffer.byteLength(file);
  if (size <= maxPathBytes) return undefined;
  return (
    `admin.socket is too long: ${file} has ${size} bytes and a unix socket may have ${maxPathBytes}; ` +
    'set admin.socket to a shorter path, such as /run/mcp-tenant-proxy/admin.sock'
  );
}
