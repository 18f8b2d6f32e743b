/** Keys whose value is an example, not a schema: what looks like a reference there is none. */
const dataKeys = new Set(['const', 'enum', 'default', 'examples']);
/** Keys whose value has a schema under each of its names. */
const nameMapKeys = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The schema of `{"result": …}`, where `schema` describes what stands in `result`. References within the document
 * follow their targets to the new place. Both generations of the official SDK do it in this way.
 */
export function wrappedSchema(schema: Json): Json {
  const dialect = typeof schema['$schema'] === 'string' ? { $schema: schema['$schema'] } : {};
  const moved = isOwnBase(schema['$id']) ? schema : moveReferences(schema);
  return { ...dialect, type: 'object', properties: { result: moved }, required: ['result'] };
}

/** References below such an `$id` are relative to it, wherever it stands; `#name` is only an anchor. */
const isOwnBase = (id: unknown) => id !== undefined && !(typeof id === 'string' && id.startsWith('#'));

function moveReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(moveReferences);
  if (!isRecord(node) || isOwnBase(node['$id'])) return node;
  return mapped(node, (value, key) => {
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string') return movedReference(value);
    if (dataKeys.has(key)) return value;
    return nameMapKeys.has(key) && isRecord(value) ? mapped(value, moveReferences) : moveReferences(value);
  });
}

function mapped(record: Json, change: (value: unknown, key: string) => unknown): Json {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function movedReference(reference: string): string {
  if (reference === '#') return '#/properties/result';
  return reference.startsWith('#/') ? `#/properties/result${reference.slice(1)}` : reference;
}
