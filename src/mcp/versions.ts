/** Revisions with an `initialize` handshake, newest first. The front door and the workers speak all of them. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export const latestLegacyVersion = legacyVersions[0];

/** What a client is told that asked for `requested` (2025-11-25 lifecycle, "Version Negotiation"). */
export function negotiate(requested: unknown): string {
  return (legacyVersions as readonly unknown[]).includes(requested) ? String(requested) : latestLegacyVersion;
}

/** Revisions the Streamable HTTP header `MCP-Protocol-Version` may name; absent means 2025-03-26. */
export function isHeaderVersion(version: string): boolean {
  return (legacyVersions as readonly string[]).includes(version);
}
