import { type Message, valueOf } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { ownAnswer } from '../mcp/own-answer.ts';

interface UrlElicitation {
  readonly message?: unknown;
  readonly url: string;
}

const isUrlElicitation = (value: unknown): value is UrlElicitation =>
  typeof value === 'object' && value !== null && 'url' in value && typeof value.url === 'string';

/**
 * URLElicitationRequiredError of 2025-11-25 (-32042) as 2026-07-28 says it: a result with questions. Undefined if it
 * names no page: a client that is asked nothing could only make the same call again.
 */
export function urlQuestions(response: Message, idText: string): Buffer | undefined {
  const error = valueOf(response, response.error) as { data?: { elicitations?: unknown } | null };
  const elicitations = error.data?.elicitations;
  const asked = (Array.isArray(elicitations) ? elicitations : []).filter(isUrlElicitation);
  if (asked.length === 0) return undefined;
  const requests = asked.map(({ message, url }, index) => [
    `r${index + 1}`,
    { method: methods.elicit, params: { mode: 'url', message, url } },
  ]);
  const result = { resultType: 'input_required', inputRequests: Object.fromEntries(requests) as unknown };
  return ownAnswer(idText, 'result', result);
}
