import { inspect } from 'node:util';

/** A text that must not be seen: a whole value, or a part of one such as the password in a URL. */
export interface Sensitive {
  readonly text: string;
  /** It is a credential for certain, because of where it comes from or what it is called; else it may be `eu` or `8080`. */
  readonly isCredential: boolean;
}

/** What a secret is in a log, a template, JSON, a debugger: the same for all, so that nothing can be told from it. */
const shown = '[secret]';

/**
 * A value that cannot be printed by accident. It goes from the resolver to the environment of a child in this wrapping;
 * `reveal` is called where it is needed and nowhere else, which a test of the architecture watches over.
 */
export class Secret {
  readonly #value: string;
  readonly #sensitive: readonly Sensitive[];

  /** `sensitive`: what of it the redactor looks for; the whole value unless told. */
  constructor(value: string, sensitive: readonly Sensitive[] = [{ text: value, isCredential: false }]) {
    this.#value = value;
    this.#sensitive = sensitive;
  }

  reveal(): string {
    return this.#value;
  }

  /** For the redactor. */
  sensitive(): readonly Sensitive[] {
    return this.#sensitive;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [Symbol.toPrimitive](): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
