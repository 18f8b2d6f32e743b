import { type Document, isAlias, LineCounter, parseDocument, visit } from 'yaml';
import { type z } from 'zod';
import { tooDeepAt, tooDeepMessage } from './depth.ts';
import { endOf, findPlace, type Place } from './place.ts';
import type { Problem } from './problem.ts';
import { describeIssue } from './schema-hints.ts';
import { syntaxMessage } from './syntax-messages.ts';

/** What came of reading a text: a value that fits the schema, or everything that is wrong with it. */
export type ReadYaml<Value> =
  | {
      readonly ok: true;
      readonly value: Value;
      /** Where a part stands, for what only its owner can find wrong. */
      readonly placeOf: (path: readonly PropertyKey[]) => Place;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** More than this in one file and the rest is only noise. */
const maxProblems = 50;

/**
 * One YAML 1.2 document (core schema: `no` is a text, not false) that fits `schema`. An empty text is an empty map.
 * Anchors, aliases and merges are refused: what a file says must stand where it is read, and stay small.
 */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
): ReadYaml<z.output<Schema>> {
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    const place = endOf(text.slice(0, deep));
    return { ok: false, problems: [{ file, ...place, code: 'YAML_SYNTAX', message: tooDeepMessage }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    strict: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  const unsound = syntaxProblems(document, { text, file, lines });
  if (unsound.length > 0) return { ok: false, problems: unsound };
  const placeOf = (path: readonly PropertyKey[]) => findPlace(document, lines, path);
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (parsed.success) return { ok: true, value: parsed.data, placeOf };
  const problems = parsed.error.issues
    .slice(0, maxProblems)
    .flatMap((issue) => describeIssue(schema, document, issue, maxProblems))
    .slice(0, maxProblems)
    .map(({ path, message }): Problem => ({ file, ...placeOf(path), code: 'INVALID_SETTING', message }));
  return { ok: false, problems };
}

function syntaxProblems(
  document: Document.Parsed,
  { text, file, lines }: { text: string; file: string; lines: LineCounter },
): Problem[] {
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), code: 'YAML_SYNTAX', message };
  };
  const found = [...document.errors, ...document.warnings]
    .slice(0, maxProblems)
    .map(({ code, pos }) => at(pos[0], syntaxMessage(code)));
  if (found.length > 0) return found;
  // Looking at every node is a third of the time, and hardly any file has these characters.
  const alias = /[&*]/.test(text) ? firstAlias(document) : undefined;
  return alias === undefined
    ? []
    : [at(alias, 'Write the value out: anchors and aliases (& and *) are not read here')];
}

function firstAlias(document: Document.Parsed): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Node(_key, node) {
      const isShared = isAlias(node) || 'anchor' in node;
      if (!isShared) return undefined;
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}
