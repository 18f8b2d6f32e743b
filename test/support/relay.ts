import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A bad network: passes bytes both ways until it is cut. */
export interface Relay {
  /** As the proxy's own URL, but through here. */
  readonly url: string;
  /** Break every connection, as when a laptop is closed: without a goodbye in either direction. Returns how many. */
  cut(): number;
  /** What the proxy says no longer gets through, and it does not notice: to it the connections look well. */
  freeze(): void;
  stop(): void;
}

export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port, pathname } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.pipe(to);
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): number => {
    const open = [...pairs];
    for (const [near, far] of open) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return open.length;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    cut,
    freeze() {
      for (const [near, far] of pairs) {
        far.unpipe(near);
        far.resume();
      }
    },
    stop() {
      server.close();
      cut();
    },
  };
}
