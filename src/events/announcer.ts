import type { Announce, ProxyEvent } from './events.ts';

/**
 * Tells every listener every event, secrets taken out of its texts. A listener that throws is left out from then on;
 * the call that told it goes on.
 */
export function createAnnouncer(
  listeners: Iterable<Announce>,
  redact: (text: string) => string = (text) => text,
): Announce {
  const hearing = new Set(listeners);
  return (told: ProxyEvent) => {
    // Every call ends in one, and nothing in it was written by a server: whoever prints it redacts it.
    const event = told.type === 'call.ended' ? told : redacted(told, redact);
    for (const listener of hearing) {
      try {
        listener(event);
      } catch {
        hearing.delete(listener);
      }
    }
  };
}

/** What we named ourselves. */
const ownNames = new Set(['type', 'tenantId', 'server', 'generation']);

function redacted<Event extends ProxyEvent>(event: Event, redact: (text: string) => string): Event {
  const clean: Record<string, unknown> = { ...event };
  for (const [name, value] of Object.entries(event)) {
    if (typeof value === 'string' && !ownNames.has(name)) clean[name] = redact(value);
  }
  return clean as Event;
}
