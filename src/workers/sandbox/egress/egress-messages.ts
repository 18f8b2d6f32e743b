import type { Destination } from './destination.ts';

/** What the listeners' program says to the keeper. */
export type FromListeners =
  /** With the listener of one of the ways, by its place in the list. */
  | { readonly type: 'listener'; readonly at: number }
  /** Nothing more will come. */
  | { readonly type: 'failed'; readonly words: string };

/** What the keeper says to the relay. `id` is the launch the way belongs to. */
export type ToRelay =
  /** With a listener: who connects there is led to the destination. */
  | { readonly type: 'open'; readonly id: number; readonly at: number; readonly to: Destination }
  /** The server is gone: its listeners and connections are ended. */
  | { readonly type: 'close'; readonly id: number };

export type FromRelay =
  | { readonly type: 'opened'; readonly id: number; readonly at: number }
  | ({ readonly type: 'unreached'; readonly id: number } & Unreached);

/** A connection that led nowhere. */
export interface Unreached extends Destination {
  /** For an operator. */
  readonly reason: string;
  /** Others to the same destination that were not told of since the last one. */
  readonly suppressed: number;
}
