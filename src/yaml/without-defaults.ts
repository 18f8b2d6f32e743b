import { z } from 'zod';

type WithoutDefaults<Shape> = {
  [Key in keyof Shape]: z.ZodOptional<
    Shape[Key] extends z.ZodDefault<infer Inner extends z.ZodType> ? Inner : never
  >;
};

/**
 * The same keys, each of which may be left out and is then absent. (`partial()` would not do: zod fills in
 * the default of an optional key that is left out.)
 */
export function withoutDefaults<Shape extends Record<string, z.ZodDefault>>(
  shape: Shape,
): WithoutDefaults<Shape> {
  const entries = Object.entries(shape).map(([key, schema]) => [key, z.optional(schema.unwrap())]);
  return Object.fromEntries(entries) as WithoutDefaults<Shape>;
}

/** `base` with what `own` says instead; what `own` leaves out stays as it is. */
export function overlaid<Settings extends object>(
  base: Settings,
  own: { readonly [Key in keyof Settings]?: Settings[Key] | undefined } | undefined,
): Settings {
  const said = Object.entries(own ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...(Object.fromEntries(said) as Partial<Settings>) };
}
