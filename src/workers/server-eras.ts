import type { Era } from '../mcp/versions.ts';

/** What is known of the eras that one version of a server's command speaks; undefined: not known. */
export interface EraVerdict {
  readonly legacy: boolean | undefined;
  readonly modern: boolean | undefined;
}

/** Which era to speak with a server. */
export interface ServerEras {
  /** The era of the worker for a client of `client`; undefined if the server must be asked first. */
  workerEra(client: Era): Era | undefined;
  /** A handshake of `era` was answered, or refused. True if the other era should be tried instead. */
  learned(era: Era, speaks: boolean): boolean;
}

/** `fixed` is what the tenant's file says, if it does. */
export function createServerEras(
  fixed: Era | undefined,
  known: EraVerdict,
  save: (verdict: EraVerdict) => void,
): ServerEras {
  let verdict = known;
  return {
    workerEra(client) {
      if (fixed) return fixed;
      const { legacy, modern } = verdict;
      if (client === 'legacy') return legacy === false && modern !== false ? 'modern' : 'legacy';
      if (modern === undefined) return legacy === false ? 'modern' : undefined;
      return modern ? 'modern' : 'legacy';
    },
    learned(era, speaks) {
      if (fixed) return false;
      if (verdict[era] !== speaks) {
        verdict = { ...verdict, [era]: speaks };
        save(verdict);
      }
      const other = era === 'legacy' ? verdict.modern : verdict.legacy;
      return !speaks && other !== false;
    },
  };
}
