import { type Message, valueOf } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { ownAnswer } from '../mcp/own-answer.ts';

interface UrlElicitation {
  readonly message?: unknown;
  readonly url?: unknown;
}

/** URLElicitationRequiredError of 2025-11-25 (-32042) as 2026-07-28 says it: a result with questions. */
export function urlQuestions(response: Message, idText: string): Buffer {
  const error = valueOf(response, response.error) as { data?: { elicitations?: unknown } };
  const elicitations = error.data?.elicitations;
  const asked = (Array.isArray(elicitations) ? elicitations : []) as readonly UrlElicitation[];
  const requests = asked.map(({ message, url }, index) => [
    `r${index + 1}`,
    { method: methods.elicit, params: { mode: 'url', message, url } },
  ]);
  const result = { resultType: 'input_required', inputRequests: Object.fromEntries(requests) as unknown };
  return ownAnswer(idText, 'result', result);
}
