/** A member knows its own place, so that it can leave without being looked for. One roster at a time. */
export interface Member {
  place: number;
}

/** Who is here, in no order. Cheaper than a `Set` where thousands come and go in a second (see `Slots`). */
export class Roster<Who extends Member> {
  readonly #members: Who[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Who): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** `member` must be here. */
  remove(member: Who): void {
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[member.place] = last;
    last.place = member.place;
  }

  [Symbol.iterator](): Iterator<Who> {
    return this.#members.values();
  }
}
