/** Is it part of one of these? */
export function isPartOfAny(uri: string, subscribed: Iterable<string>): boolean {
  for (const each of subscribed) if (isPartOf(uri, each)) return true;
  return false;
}

/**
 * Is this resource the one that was subscribed to, or a part of it? A server may tell of either (2025-11-25 schema,
 * "ResourceUpdatedNotificationParams").
 */
export function isPartOf(uri: string, subscribed: string): boolean {
  if (!uri.startsWith(subscribed)) return false;
  const next = uri.charAt(subscribed.length);
  // `file:///a` has the parts `file:///a/b` and `file:///a#b`, and `file:///ab` is another resource.
  return next === '' || subscribed.endsWith('/') || '/?#'.includes(next);
}
