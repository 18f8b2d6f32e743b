import type { ServerFacts } from './handshake.ts';

/** What a caller wants to hear of (2026-07-28 basic/patterns/subscriptions). */
export interface ListenFilter {
  readonly tools: boolean;
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly uris: readonly string[];
}

/** So many resources may one caller hear of. */
const maxUris = 1000;

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `params.notifications` of `subscriptions/listen`; undefined if it is none. */
export function readFilter(value: unknown): ListenFilter | undefined {
  if (!isRecord(value)) return undefined;
  const uris = value['resourceSubscriptions'] ?? [];
  if (!Array.isArray(uris) || uris.length > maxUris) return undefined;
  if (!uris.every((uri): uri is string => typeof uri === 'string')) return undefined;
  return {
    tools: value['toolsListChanged'] === true,
    prompts: value['promptsListChanged'] === true,
    resources: value['resourcesListChanged'] === true,
    uris: [...new Set(uris)],
  };
}

/** As much of it as the server can tell. */
export function honoured(wanted: ListenFilter, { discover }: ServerFacts): ListenFilter {
  const can = (feature: string, what: string) => {
    const declared = discover.capabilities[feature];
    return isRecord(declared) && declared[what] === true;
  };
  return {
    tools: wanted.tools && can('tools', 'listChanged'),
    prompts: wanted.prompts && can('prompts', 'listChanged'),
    resources: wanted.resources && can('resources', 'listChanged'),
    uris: can('resources', 'subscribe') ? wanted.uris : [],
  };
}
