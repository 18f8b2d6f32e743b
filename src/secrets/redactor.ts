import type { Clock } from '../time/clock.ts';
import { formsOf } from './forms.ts';
import type { Secret } from './secret.ts';
import { isTrivial, minSecretChars } from './trivial.ts';

const mask = '[REDACTED]';
/** How long a secret is looked for after the last process that had it is gone, in milliseconds: what it said may come late. */
const lingerMs = 600_000;

/** The environment of a server, which is what it is known by here. */
export type Secrets = Readonly<Record<string, Secret>>;

interface Held {
  /** Processes that have it now. */
  holders: number;
  readonly forms: readonly string[];
  stopLingering: () => void;
}

/**
 * Masks the secrets that are in use, whoever's they are, in text of any origin: as they are, and as they look in JSON,
 * in a URL, in base64, in hex. What is looked for changes when a process starts or ends; a text is then read once,
 * however many secrets there are. A tenant that runs nothing costs nothing.
 */
export class Redactor {
  readonly #clock: Clock;
  readonly #held = new Map<Secrets, Held>();
  readonly #forms = new FormIndex();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A process is about to be given these. Returns what to call when it is gone. `names` are texts that are no secrets
   * although they may be among the values: the tenant's id, the server's name.
   */
  hold(secrets: Secrets, names: readonly string[] = []): () => void {
    const held = this.#held.get(secrets) ?? this.#taken(secrets, names);
    held.stopLingering();
    held.holders++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(secrets, held);
      isHeld = false;
    };
  }

  readonly redact = (text: string): string => this.#forms.masked(text);

  #taken(secrets: Secrets, names: readonly string[]): Held {
    const forms = [...new Set(Object.values(secrets).flatMap((secret) => formsToMask(secret, names)))];
    const held = { holders: 0, forms, stopLingering: () => undefined };
    this.#held.set(secrets, held);
    for (const form of forms) this.#forms.add(form);
    return held;
  }

  #release(secrets: Secrets, held: Held): void {
    held.holders--;
    if (held.holders > 0) return;
    held.stopLingering = this.#clock.after(lingerMs, () => {
      this.#held.delete(secrets);
      for (const form of held.forms) this.#forms.remove(form);
    });
  }
}

function formsToMask(secret: Secret, names: readonly string[]): string[] {
  return secret
    .sensitive()
    .filter(({ text, isCredential }) => isCredential || (!isTrivial(text) && !names.includes(text)))
    .filter(({ text }) => text.length >= minSecretChars)
    .flatMap(({ text }) => [...formsOf(text)])
    .filter((form) => form.length >= minSecretChars);
}

/** How long the beginnings are by which forms are found: long ones, because many keys begin alike (`ghp_`, `eyJhbGciOi`). */
const headSizes = [24, 12, minSecretChars];
const hashes = 1 << 14;

/** Texts to look for, by how they begin. */
class FormIndex {
  readonly #counts = new Map<string, number>();
  readonly #byHead = new Map<string, string[]>();
  /** How many heads begin with characters of this hash: nearly every place of a text is passed by with one look. */
  readonly #begins = new Uint32Array(hashes);

  add(form: string): void {
    const count = this.#counts.get(form) ?? 0;
    this.#counts.set(form, count + 1);
    if (count > 0) return;
    const head = headOf(form);
    const known = this.#byHead.get(head);
    if (known) known.push(form);
    else this.#byHead.set(head, [form]);
    if (!known) this.#count(head, 1);
  }

  remove(form: string): void {
    const count = this.#counts.get(form) ?? 0;
    if (count > 1) {
      this.#counts.set(form, count - 1);
      return;
    }
    this.#counts.delete(form);
    const head = headOf(form);
    const left = (this.#byHead.get(head) ?? []).filter((each) => each !== form);
    if (left.length > 0) this.#byHead.set(head, left);
    else if (this.#byHead.delete(head)) this.#count(head, -1);
  }

  /** Where two secrets overlap in the text, what both cover is masked as one: no tail is left standing. */
  masked(text: string): string {
    let out = '';
    let copied = 0;
    let start = 0;
    let end = 0;
    for (let at = 0; at + minSecretChars <= text.length; at++) {
      if (this.#begins[hashAt(text, at)] === 0) continue;
      const length = this.#lengthAt(text, at);
      if (length === 0) continue;
      if (at >= end) {
        if (end > 0) out += text.slice(copied, start) + mask;
        copied = end;
        start = at;
      }
      end = Math.max(end, at + length);
    }
    return end === 0 ? text : out + text.slice(copied, start) + mask + text.slice(end);
  }

  /** Of the longest form that begins here; 0 if none does. */
  #lengthAt(text: string, at: number): number {
    for (const size of headSizes) {
      const forms = this.#byHead.get(text.slice(at, at + size)) ?? [];
      let longest = 0;
      for (const form of forms) if (form.length > longest && text.startsWith(form, at)) longest = form.length;
      // What has a longer head is longer.
      if (longest > 0) return longest;
    }
    return 0;
  }

  #count(head: string, change: 1 | -1): void {
    const hash = hashAt(head, 0);
    this.#begins[hash] = (this.#begins[hash] ?? 0) + change;
  }
}

const headOf = (form: string): string =>
  form.slice(
    0,
    headSizes.find((size) => form.length >= size),
  );

const hashAt = (text: string, at: number): number =>
  (text.charCodeAt(at) * 961 + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2)) & (hashes - 1);
