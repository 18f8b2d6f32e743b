const prefix = 'io.modelcontextprotocol/';

/** Names in `_meta` that the specification keeps for itself (2026-07-28 basic/index, "_meta"; 2025-11-25 for tasks). */
export const metaKeys = {
  version: `${prefix}protocolVersion`,
  clientInfo: `${prefix}clientInfo`,
  capabilities: `${prefix}clientCapabilities`,
  logLevel: `${prefix}logLevel`,
  serverInfo: `${prefix}serverInfo`,
  subscriptionId: `${prefix}subscriptionId`,
  relatedTask: `${prefix}related-task`,
} as const;
