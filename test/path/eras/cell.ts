/** One square of the matrix: who asks, who answers, and how workers are shared between. */
export type Era = 'legacy' | 'modern';
export type WorkerKind = 'legacy' | 'modern' | 'dual';
export type Sharing = 'shared' | 'leased' | 'exclusive';
/** `direct`: no proxy between, only a pipe. What is seen there is what must be seen through the proxy. */
export type Way = Sharing | 'direct';

export interface Cell {
  readonly client: Era;
  readonly worker: WorkerKind;
  readonly way: Way;
}

export const sharings: readonly Sharing[] = ['shared', 'leased', 'exclusive'];
export const eras: readonly Era[] = ['legacy', 'modern'];
export const workerKinds: readonly WorkerKind[] = ['legacy', 'modern', 'dual'];

/** The era that the worker speaks: one that knows both speaks its client's. */
export const spokenBy = ({ client, worker }: Cell): Era => (worker === 'dual' ? client : worker);

/** Has the worker been greeted by the client itself, and serves nobody else? */
const isOwned = ({ way }: Cell): boolean => way === 'exclusive' || way === 'direct';

/** A legacy worker that has several clients has been greeted before it knew them. */
export const isToldByProxy = (cell: Cell): boolean => spokenBy(cell) === 'legacy' && !isOwned(cell);

/** Why only a worker of its own hears of a client's roots. */
export const foldersPerProcess =
  'folders are one set per process, so only a worker that has one client is told of them';

export const nameOf = ({ client, worker, way }: Cell): string => `${client} client, ${worker} worker, ${way}`;
