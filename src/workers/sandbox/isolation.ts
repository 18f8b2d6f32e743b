/** The walls there are, the strongest first. */
export const tiers = ['bubblewrap', 'uid per tenant', 'process only'] as const;
export type Tier = (typeof tiers)[number];

/** The wall in force, and why it is no stronger one. */
export interface Isolation {
  readonly tier: Tier;
  /** How bubblewrap is run: as `root`, who gives each tenant a user of its own too, or as any `user`. */
  readonly variant?: 'root' | 'user';
  /** In words for an operator, with what to do; undefined if there is nothing stronger. */
  readonly reason: string | undefined;
}

/** The wall in force, and whether whole servers are held too. */
export interface WallsInForce extends Isolation {
  /** By which cgroups the processes of a server are held together, as `v2: memory, pids, cpu`; undefined: by none. */
  readonly cgroups: string | undefined;
  /** Why not, or why not by more, and what to do. */
  readonly cgroupsReason: string | undefined;
}

/** `workers.isolation` is `required`, and there is no wall. */
export class NoWall extends Error {
  override readonly name = 'NoWall';

  constructor(reason: string) {
    super(`workers.isolation is required, and no wall works here: ${reason}`);
  }
}
