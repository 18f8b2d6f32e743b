import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type YAMLSeq,
} from 'yaml';
import { tooDeepAt, tooDeepMessage } from './depth.ts';

/** A text cannot be edited because it is not what it should be. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** The texts of a map in a list: what is put in, and what one is found by. */
export type ListItem = Readonly<Record<string, string>>;

/** Adds a map to the list at `key`, which is made if there is none. Every other byte stays as it is. @throws {EditError} */
export function addToList(text: string, key: string, item: ListItem): string {
  const document = parsed(text);
  const changed = inserted(text, document, key, flowMap(item));
  check(changed, key, itemsIn(document, key).length + 1);
  return changed;
}

/**
 * Takes the maps out of the list at `key` whose `field` is `value`; undefined if there is none. Every other byte stays
 * as it is. @throws {EditError}
 */
export function removeFromList(text: string, key: string, field: string, value: string): string | undefined {
  const list = parsed(text).get(key, true);
  if (!isSeq(list)) return undefined;
  const isMeant = (item: unknown) => isMap(item) && String(item.get(field)) === value;
  const at = list.items.findIndex(isMeant);
  if (at === -1) return undefined;
  const changed = without(text, list, at);
  check(changed, key, list.items.length - 1);
  return removeFromList(changed, key, field, value) ?? changed;
}

function inserted(text: string, document: Document.Parsed, key: string, item: string): string {
  const pair = pairOf(document, key);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  if (!pair) return `${endingWith(text, eol)}${key}:${eol}  - ${item}${eol}`;
  const { value } = pair;
  if (isSeq(value) && value.items.length > 0) return appended(text, value, item, eol);
  if (isSeq(value) || value === null || (isScalar(value) && value.value === null))
    return filled(text, pair, item, eol);
  throw new EditError(`"${key}" is not a list`);
}

/** After the last item: on a line of its own, or behind a comma. */
function appended(text: string, list: YAMLSeq, item: string, eol: string): string {
  const end = endOf(list.items.at(-1) as Node);
  if (list.flow) return `${text.slice(0, end)}, ${item}${text.slice(end)}`;
  const line = lineEnd(text, end);
  const indent = ' '.repeat(columnOf(text, startOf(list)));
  return `${endingWith(text.slice(0, line), eol)}${indent}- ${item}${eol}${text.slice(line)}`;
}

/** Into a list that is empty: below its key, whose line keeps what else stands on it. */
function filled(text: string, { key, value }: Pair, item: string, eol: string): string {
  const keyNode = key as Node;
  const isWritten = isSeq(value);
  const colon = text.indexOf(':', endOf(keyNode)) + 1;
  const head = isWritten
    ? text.slice(0, startOf(value)).replace(/[ \t]+$/, '') + text.slice(endOf(value))
    : text;
  const line = lineEnd(head, colon);
  const indent = ' '.repeat(columnOf(text, startOf(keyNode)) + 2);
  return `${endingWith(head.slice(0, line), eol)}${indent}- ${item}${eol}${head.slice(line)}`;
}

function without(text: string, list: YAMLSeq, at: number): string {
  const items = list.items as Node[];
  const [start, end] = [startOf(list), endOf(list)];
  if (items.length === 1) return withoutLast(text, list);
  const [before, item, after] = [items[at - 1], items[at], items[at + 1]];
  if (!item) return text;
  if (!list.flow)
    return text.slice(0, startOfBlock(text, item, at > 0)) + text.slice(lineEnd(text, endOf(item)));
  const from = before ? endOf(before) : startOf(item);
  const to = before || !after ? endOf(item) : startOf(after);
  return text.slice(0, Math.max(start, from)) + text.slice(Math.min(end, to));
}

/** `keys:` alone would be nothing, and nothing is no list. */
function withoutLast(text: string, list: YAMLSeq): string {
  const [start, end] = [startOf(list), endOf(list)];
  if (list.flow) return `${text.slice(0, start)}[]${text.slice(end)}`;
  const from = startOfBlock(text, list, false);
  const keyEnd = text.lastIndexOf(':', start) + 1;
  return `${text.slice(0, keyEnd)} []${text.slice(keyEnd, from)}${text.slice(lineEnd(text, end))}`;
}

/** Where the line begins that a node is on, or the comment about it that stands right above. */
function startOfBlock(text: string, node: Node, withComment: boolean): number {
  let at = text.lastIndexOf('\n', startOf(node) - 1) + 1;
  while (withComment && at > 0) {
    const above = text.lastIndexOf('\n', at - 2) + 1;
    if (!/^[ \t]*#/.test(text.slice(above, at))) break;
    at = above;
  }
  return at;
}

/** Written as the parser reads it back, on one line. */
function flowMap(item: ListItem): string {
  const pairs = Object.entries(item).map(([name, value]) => `${name}: ${scalar(value)}`);
  return `{ ${pairs.join(', ')} }`;
}

const scalar = (value: string) =>
  /^[A-Za-z0-9][A-Za-z0-9_.@/+-]*$/.test(value) && !isOtherType(value) ? value : JSON.stringify(value);

/** Would it be read as a number, a truth or nothing? */
const isOtherType = (value: string) => typeof parseDocument(value).toJS() !== 'string';

function parsed(text: string): Document.Parsed {
  if (tooDeepAt(text) !== undefined) throw new EditError(tooDeepMessage);
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) throw new EditError('it is not sound YAML');
  const { contents } = document;
  if (contents === null) return document;
  if (!isMap(contents)) throw new EditError('it is not a map of keys');
  if (contents.flow) throw new EditError('write its keys on lines of their own, not in { }');
  return document;
}

/** Nothing is written that is not what was meant. */
function check(changed: string, key: string, items: number): void {
  if (itemsIn(parsed(changed), key).length !== items)
    throw new EditError(`"${key}" has a shape that cannot be edited`);
}

function itemsIn(document: Document.Parsed, key: string): readonly unknown[] {
  const list = document.get(key, true);
  return isSeq(list) ? list.items : [];
}

function pairOf({ contents }: Document.Parsed, key: string): Pair | undefined {
  return isMap(contents)
    ? contents.items.find((pair) => isScalar(pair.key) && pair.key.value === key)
    : undefined;
}

const startOf = (node: Node) => node.range?.[0] ?? 0;
const columnOf = (text: string, offset: number) => offset - (text.lastIndexOf('\n', offset - 1) + 1);
const endingWith = (text: string, eol: string) => (text === '' || text.endsWith('\n') ? text : text + eol);

/** Where what is written of a node ends; a block's own end would be behind the line breaks and comments after it. */
function endOf(node: Node): number {
  const last = lastIn(node);
  return last ? endOf(last) : (node.range?.[1] ?? 0);
}

/** The last node within a block; undefined for what has an end of its own. */
function lastIn(node: Node): Node | undefined {
  if (isSeq(node) && !node.flow) return node.items.at(-1) as Node | undefined;
  if (!isMap(node) || node.flow) return undefined;
  const pair = node.items.at(-1);
  return (pair?.value ?? pair?.key) as Node | undefined;
}

/** Behind the line break of the line that `offset` is on. */
function lineEnd(text: string, offset: number): number {
  // A text over several lines ends with its own line break.
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const at = text.indexOf('\n', offset);
  return at === -1 ? text.length : at + 1;
}
