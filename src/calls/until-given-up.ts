import type { Cancellation } from './call.ts';

/** Wait for `work`, which does not heed the call itself, no longer than anybody waits for the call. Rejects with the reason. */
export function untilGivenUp<Value>(cancellation: Cancellation, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    // Nobody else has the call in hand meanwhile; who gets it next will listen then.
    const over = () => {
      cancellation.listen(undefined);
    };
    cancellation.listen(reject);
    work.finally(over).then(resolve, reject);
  });
}
