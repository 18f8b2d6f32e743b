import { Scanner, type Span } from './scanner.ts';
import type { Edit } from './splice.ts';

/** One member of an object: its key, and where both stand. */
export interface Member {
  readonly key: string;
  /** Where the key begins. */
  readonly start: number;
  readonly value: Span;
}

/** The member whose key was just read; steps over its value. */
export function readMember(scanner: Scanner, key: string, start: number): Member {
  return { key, start, value: scanner.value() };
}

/** The members of the object at `span`, which was read before and is sound. */
export function membersOf(bytes: Buffer, span: Span): Member[] {
  const members: Member[] = [];
  if (bytes[span.start] !== 0x7b) return members;
  const scanner = scannerAt(bytes, span);
  scanner.members((key, start) => members.push(readMember(scanner, key, start)));
  return members;
}

/** The elements of the array at `span`, which was read before and is sound; none if it is no array. */
export function elementsOf(bytes: Buffer, span: Span): Span[] {
  const elements: Span[] = [];
  if (bytes[span.start] !== 0x5b) return elements;
  const scanner = scannerAt(bytes, span);
  scanner.elements(() => elements.push(scanner.value()));
  return elements;
}

/** What is read a second time was bounded the first time. */
const anyDepth = 10_000;

function scannerAt(bytes: Buffer, { start, end }: Span): Scanner {
  const scanner = new Scanner(bytes.subarray(0, end), anyDepth);
  scanner.pos = start;
  return scanner;
}

/** The value of the member called `key`; the last one, as most readers have it. */
export function memberOf(members: readonly Member[], key: string): Span | undefined {
  return members.findLast((member) => member.key === key)?.value;
}

/**
 * Take members out of the object at `object` and put others in front of what stays. `insert` is JSON text without
 * braces, one character per byte: `"a":1,"b":2`.
 */
export function changeMembers(
  object: Span,
  members: readonly Member[],
  remove: (key: string) => boolean,
  insert = '',
): Edit[] {
  const edits: Edit[] = [];
  let kept: Member | undefined;
  for (const [index, member] of members.entries()) {
    if (!remove(member.key)) {
      kept = member;
      continue;
    }
    // Behind one that stays, with the comma before it; else with the one after it.
    const next = members[index + 1];
    const span = kept
      ? { start: lastEnd(members, index), end: member.value.end }
      : { start: member.start, end: next ? next.start : member.value.end };
    edits.push({ span, text: '' });
  }
  if (insert !== '') {
    const at = object.start + 1;
    edits.unshift({ span: { start: at, end: at }, text: kept ? `${insert},` : insert });
  }
  return edits;
}

const lastEnd = (members: readonly Member[], index: number) => members[index - 1]?.value.end ?? 0;

/** Text as it goes into an edit: one character per byte. */
export const byteText = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('latin1');
