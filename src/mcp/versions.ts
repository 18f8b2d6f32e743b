/** Revisions with an `initialize` handshake, newest first. The front door and the workers speak all of them. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export const latestLegacyVersion = legacyVersions[0];

/** Revisions without one: each request says for itself who asks and what it can do. */
export const modernVersions = ['2026-07-28'] as const;

export const latestModernVersion = modernVersions[0];

/** legacy: with `initialize`, up to 2025-11-25. modern: without, from 2026-07-28 on. */
export const eras = ['legacy', 'modern'] as const;
export type Era = (typeof eras)[number];

/** What a client is told that asked for `requested` (2025-11-25 lifecycle, "Version Negotiation"). */
export function negotiate(requested: unknown): string {
  return isLegacyVersion(requested) ? requested : latestLegacyVersion;
}

/** Revisions the Streamable HTTP header `MCP-Protocol-Version` may name on a legacy request; absent means 2025-03-26. */
export function isLegacyVersion(version: unknown): version is string {
  return (legacyVersions as readonly unknown[]).includes(version);
}

/** Is it spoken here without `initialize`? */
export function isModernVersion(version: unknown): version is string {
  return (modernVersions as readonly unknown[]).includes(version);
}

/** A revision of the modern era by its date, spoken here or not (basic/versioning, 2026-07-28). */
export const isOfModernEra = (version: string) =>
  /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= modernVersions[0];
