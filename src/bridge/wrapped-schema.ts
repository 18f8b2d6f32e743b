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
 * What clients up to 2025-11-25 are told of a tool's structured content, which for them is an object in any case: what
 * is one comes as it is, anything else in `{"result": …}`, and where both may come, either is as described.
 */
export function objectSchema(schema: Json): Json {
  if (schema['type'] === 'object') return schema;
  if (isObjectOnly(schema)) return { ...schema, type: 'object' };
  return mayBeObject(schema) ? eitherSchema(schema) : wrappedSchema(schema);
}

/** Does this describe objects and nothing else? As far as it can be told without following references. */
function isObjectOnly(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const { type, allOf, anyOf, oneOf } = schema;
  if (type !== undefined) return type === 'object';
  if (Array.isArray(allOf) && allOf.some(isObjectOnly)) return true;
  return [anyOf, oneOf].some((options) => Array.isArray(options) && options.every(isObjectOnly));
}

const mayBeObject = ({ type }: Json) =>
  type === undefined || (Array.isArray(type) && type.includes('object'));

function eitherSchema(schema: Json): Json {
  const place = '#/anyOf/0';
  const wrapper = { properties: { result: { $ref: place } }, required: ['result'] };
  return { ...dialectOf(schema), type: 'object', anyOf: [movedTo(place, schema), wrapper] };
}

/**
 * The schema of `{"result": …}`, where `schema` describes what stands in `result`. References within the document
 * follow their targets to the new place. Both generations of the official SDK do it in this way.
 */
export function wrappedSchema(schema: Json): Json {
  const result = movedTo('#/properties/result', schema);
  return { ...dialectOf(schema), type: 'object', properties: { result }, required: ['result'] };
}

const dialectOf = ({ $schema }: Json) => (typeof $schema === 'string' ? { $schema } : {});

const movedTo = (place: string, schema: Json) =>
  isOwnBase(schema['$id']) ? schema : moveReferences(place, schema);

/** References below such an `$id` are relative to it, wherever it stands; `#name` is only an anchor. */
const isOwnBase = (id: unknown) => id !== undefined && !(typeof id === 'string' && id.startsWith('#'));

function moveReferences(place: string, node: unknown): unknown {
  const move = (one: unknown) => moveReferences(place, one);
  if (Array.isArray(node)) return node.map(move);
  if (!isRecord(node) || isOwnBase(node['$id'])) return node;
  return mapped(node, (value, key) => {
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string')
      return movedReference(place, value);
    if (dataKeys.has(key)) return value;
    return nameMapKeys.has(key) && isRecord(value) ? mapped(value, move) : move(value);
  });
}

function mapped(record: Json, change: (value: unknown, key: string) => unknown): Json {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function movedReference(place: string, reference: string): string {
  if (reference === '#') return place;
  return reference.startsWith('#/') ? `${place}${reference.slice(1)}` : reference;
}
