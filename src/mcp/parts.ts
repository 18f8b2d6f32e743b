/** What is sent in pieces that lie apart, seen as a whole. */
type Parts = readonly Buffer[];

/** In bytes. */
export function sizeOf(parts: Parts): number {
  let size = 0;
  for (const { length } of parts) size += length;
  return size;
}

/** One character per byte. */
export function textOfParts(parts: Parts): string {
  const [only] = parts;
  return only && parts.length === 1
    ? only.toString('latin1')
    : parts.map((part) => part.toString('latin1')).join('');
}
