const prefix = 'io.modelcontextprotocol/';

/** The names in `_meta` that revision 2026-07-28 keeps for itself (basic/index, "_meta"). */
export const metaKeys = {
  version: `${prefix}protocolVersion`,
  clientInfo: `${prefix}clientInfo`,
  capabilities: `${prefix}clientCapabilities`,
  logLevel: `${prefix}logLevel`,
  serverInfo: `${prefix}serverInfo`,
  subscriptionId: `${prefix}subscriptionId`,
} as const;
