import { methods } from './methods.ts';
import { type Message, paramsOf } from './message.ts';

/** The lists of a server, and what of it each one is about. */
const lists: ReadonlyMap<string, string> = new Map([
  [methods.listTools, 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resources'],
]);

/** `tools`, `prompts` or `resources`. */
export const featureOf = (listMethod: string): string | undefined => lists.get(listMethod);

const changes: ReadonlyMap<string, string> = new Map(
  [...lists.values()].map((feature) => [`notifications/${feature}/list_changed`, feature]),
);

/** What the list is about that a notification says has changed: `tools`, `prompts` or `resources`. */
export const changedFeature = (notification: string): string | undefined => changes.get(notification);

/** Does it ask for a list from its beginning, and for nothing else? */
export function isFirstPage(message: Message): boolean {
  if (!lists.has(message.method)) return false;
  return Object.keys(paramsOf(message)).every((key) => key === '_meta');
}
