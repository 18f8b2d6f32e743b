import { type Document, isCollection, isMap, isScalar, type LineCounter, type Node, type Pair } from 'yaml';

/** Where something stands in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place right behind a text. */
export function endOf(text: string): Place {
  const lines = text.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

/** Where the part at `path` stands; of a part that is missing, where what it should stand in begins. */
export function findPlace(
  document: Document.Parsed,
  lines: LineCounter,
  path: readonly PropertyKey[],
): Place {
  let node: Node | null = document.contents;
  let offset = offsetOf(node);
  for (const key of path) {
    const pair = pairAt(node, key);
    // The key's own place: an editor that jumps there shows the whole line.
    if (pair) offset = offsetOf(pair.key as Node);
    node = isCollection(node) ? ((node.get(key, true) as Node | undefined) ?? null) : null;
    if (!node && !pair) break;
    if (!pair) offset = offsetOf(node);
  }
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function pairAt(node: Node | null, key: PropertyKey): Pair | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

const offsetOf = (node: Node | null) => node?.range?.[0] ?? 0;
