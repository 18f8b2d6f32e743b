import { type Message, valueOf } from '../mcp/message.ts';

/** What a client says of itself in `initialize`. */
export function introduction(message: Message): {
  protocolVersion: unknown;
  capabilities: Record<string, unknown>;
  client: string;
} {
  const params = (valueOf(message, message.params) ?? {}) as {
    protocolVersion?: unknown;
    capabilities?: unknown;
    clientInfo?: { name?: unknown };
  };
  const { protocolVersion, capabilities, clientInfo } = params;
  const name = typeof clientInfo?.name === 'string' ? clientInfo.name : 'unknown';
  return {
    protocolVersion,
    capabilities: isRecord(capabilities) ? capabilities : {},
    client: name.slice(0, 64),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
