import type { Span } from './scanner.ts';

/** Put `text` (one character per byte) where `span` stands. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** From here on, copying costs more than handing on slices. */
const largeBytes = 64 * 1024;

/**
 * The bytes with one or two parts exchanged, all others as they were. Large messages come back as
 * slices of the original, so that a result of many megabytes is never copied.
 */
export function splice(bytes: Buffer, edits: readonly Edit[], tail = ''): Buffer[] {
  const ordered = edits.length < 2 ? edits : [...edits].sort(byPlace);
  return bytes.length > largeBytes ? slices(bytes, ordered, tail) : [copied(bytes, ordered, tail)];
}

/** What is put in at a place comes before what is taken out from there on. */
const byPlace = (a: Edit, b: Edit) => a.span.start - b.span.start || a.span.end - b.span.end;

function copied(bytes: Buffer, edits: readonly Edit[], tail: string): Buffer {
  let size = bytes.length + tail.length;
  for (const { span, text } of edits) size += text.length - (span.end - span.start);
  const out = Buffer.allocUnsafe(size);
  let from = 0;
  let to = 0;
  for (const { span, text } of edits) {
    to += bytes.copy(out, to, from, span.start);
    to += out.write(text, to, 'latin1');
    from = span.end;
  }
  to += bytes.copy(out, to, from);
  if (tail !== '') out.write(tail, to, 'latin1');
  return out;
}

function slices(bytes: Buffer, edits: readonly Edit[], tail: string): Buffer[] {
  const out: Buffer[] = [];
  let from = 0;
  for (const { span, text } of edits) {
    out.push(bytes.subarray(from, span.start), Buffer.from(text, 'latin1'));
    from = span.end;
  }
  out.push(bytes.subarray(from));
  if (tail !== '') out.push(Buffer.from(tail, 'latin1'));
  return out;
}
