/** More than are in flight on a worker at most times; a power of two. */
const slots = 256;

/**
 * Entries by a number that only grows, most of which leave soon. What a `Map` holds moves to a new table each time it
 * has taken in as many as it has room for, and under a steady stream the old tables survive into the old generation.
 * An array's place is simply used again.
 */
export class Slots<Entry> {
  readonly #numbers = new Array<number>(slots).fill(0);
  readonly #entries = new Array<Entry | undefined>(slots).fill(undefined);
  /** Those whose place was still taken by one that stays long. */
  readonly #overflow = new Map<number, Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `number` is 1 or more, and never was here before. */
  add(number: number, entry: Entry): void {
    const slot = number % slots;
    this.#size++;
    if (this.#numbers[slot] === 0) {
      this.#numbers[slot] = number;
      this.#entries[slot] = entry;
    } else {
      this.#overflow.set(number, entry);
    }
  }

  get(number: number): Entry | undefined {
    const slot = number % slots;
    return this.#numbers[slot] === number ? this.#entries[slot] : this.#overflow.get(number);
  }

  /** Take an entry out; undefined if there is none. */
  take(number: number): Entry | undefined {
    const slot = number % slots;
    const entry = this.get(number);
    if (entry === undefined) return undefined;
    this.#size--;
    if (this.#numbers[slot] === number) {
      this.#numbers[slot] = 0;
      this.#entries[slot] = undefined;
    } else {
      this.#overflow.delete(number);
    }
    return entry;
  }

  /** In no order. */
  values(): Entry[] {
    return [...this.#entries.filter((entry) => entry !== undefined), ...this.#overflow.values()];
  }

  clear(): void {
    this.#numbers.fill(0);
    this.#entries.fill(undefined);
    this.#overflow.clear();
    this.#size = 0;
  }
}
