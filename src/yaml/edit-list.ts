import { type Document, isMap, isSeq, parseDocument, type YAMLSeq } from 'yaml';

/** A text cannot be edited because it is not what it should be. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** The texts of a map in a list: what is put in, and what one is found by. */
export type ListItem = Readonly<Record<string, string>>;

/** Adds a map to the list at `key`, keeping comments and layout; the list is made if there is none. @throws {EditError} */
export function addToList(text: string, key: string, item: ListItem): string {
  const document = parsed(text);
  const list = document.get(key, true);
  const node = document.createNode(item, { flow: true });
  if (isSeq(list)) {
    // In `keys: []` the brackets would go on in one line for ever.
    if (list.items.length === 0) list.flow = false;
    list.items.push(node);
  } else if ((document.get(key) ?? null) === null) {
    document.set(key, document.createNode([node]));
  } else {
    throw new EditError(`"${key}" is not a list`);
  }
  return printed(document, text);
}

/** Takes the maps out of the list at `key` whose `field` is `value`; undefined if there is none. @throws {EditError} */
export function removeFromList(text: string, key: string, field: string, value: string): string | undefined {
  const document = parsed(text);
  const list = document.get(key, true);
  if (!isSeq(list)) return undefined;
  const kept = list.items.filter((item) => !(isMap(item) && String(item.get(field)) === value));
  if (kept.length === list.items.length) return undefined;
  replaceItems(list, kept);
  return printed(document, text);
}

function replaceItems(list: YAMLSeq, items: unknown[]): void {
  list.items = items;
  // An empty list has no other spelling.
  if (items.length === 0) list.flow = true;
}

function parsed(text: string): Document.Parsed {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) throw new EditError('it is not sound YAML');
  if (document.contents !== null && !isMap(document.contents)) throw new EditError('it is not a map of keys');
  return document;
}

/** Long lines stay long: folding them would rewrite what nobody asked to change. */
function printed(document: Document.Parsed, before: string): string {
  const isIndented = /^(keys|[a-z]+):\n\s+- /m.test(before);
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: true,
    indentSeq: isIndented || !before.includes('\n- '),
  });
}
