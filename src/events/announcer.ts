import type { Announce, ProxyEvent } from './events.ts';

/** Tells every listener every event. A listener that throws is left out from then on; the call that told it goes on. */
export function createAnnouncer(listeners: Iterable<Announce>): Announce {
  const hearing = new Set(listeners);
  return (event: ProxyEvent) => {
    for (const listener of hearing) {
      try {
        listener(event);
      } catch {
        hearing.delete(listener);
      }
    }
  };
}
