import { z } from 'zod';
import { serverShape } from '../../src/workers/spec.ts';

/** Every setting of a schema by its dotted name: `pool.max`, `keys[].name`, `servers.<name>`. */
export function settingsIn(schema: z.ZodType, prefix = ''): string[] {
  const bare = withoutWrapping(schema);
  if (bare instanceof z.ZodArray)
    return [`${prefix}[]`, ...inside(bare.element as z.ZodType, `${prefix}[].`)];
  if (bare instanceof z.ZodRecord && prefix === 'servers') return ['servers.<name>'];
  if (!(bare instanceof z.ZodObject) || prefix === 'server') return [prefix];
  const keys = inside(bare, prefix === '' ? '' : `${prefix}.`);
  return keys.length > 0 ? keys : [prefix];
}

/** A server stands under `server` and under `servers.<name>`; it is told once. */
export const serverSettings = [...Object.keys(serverShape), 'pool'].map((key) => `server.${key}`);

function inside(schema: z.ZodType, prefix: string): string[] {
  const bare = withoutWrapping(schema);
  if (!(bare instanceof z.ZodObject)) return [];
  return Object.entries(bare.shape).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const isPlainList = withoutWrapping(value as z.ZodType) instanceof z.ZodArray && key !== 'keys';
    return isPlainList ? [name] : settingsIn(value as z.ZodType, name);
  });
}

function withoutWrapping(schema: z.ZodType): z.ZodType {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap() as z.ZodType;
  return at;
}
