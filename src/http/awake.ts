import type { EventStream } from './event-stream.ts';

/** How often silent connections are given a sign of life, in milliseconds. */
export const awakeEveryMs = 15_000;
/** In so many turns, so that ten thousand streams are not written to at once. */
const turns = 30;

/** The streams that would stay silent for long: each gets a comment every 15 s, so that nobody on the way ends it. */
export class AwakeStreams {
  readonly #turns = Array.from({ length: turns }, () => new Set<EventStream>());
  readonly #timer: NodeJS.Timeout;
  #added = 0;
  #turn = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#turn = (this.#turn + 1) % turns;
      for (const stream of this.#turns[this.#turn] ?? []) stream.comment();
    }, awakeEveryMs / turns).unref();
  }

  /** Returns how to take it out again. */
  add(stream: EventStream): () => void {
    const turn = this.#turns[this.#added++ % turns];
    turn?.add(stream);
    return () => turn?.delete(stream);
  }

  /** End the streams, which would otherwise stay open for ever. */
  close(): void {
    clearInterval(this.#timer);
    for (const turn of this.#turns) for (const stream of turn) stream.close();
  }
}
