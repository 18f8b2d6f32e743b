import { z } from 'zod';
import { addresses } from '../yaml/addresses.ts';
import { bytes } from '../yaml/bytes.ts';
import { duration } from '../yaml/duration.ts';

/** `listen:` in proxy.config.yaml: where clients come in. */
export const listenShape = {
  host: z.string().min(1).default('127.0.0.1'),
  /** 0: any free port. */
  port: z.int('write a port between 0 and 65535').min(0).max(65_535).default(8080),
  /** Further names this proxy is reached by, as they stand in `Host`, without a port. */
  allowedHosts: z.array(z.string().min(1)).default([]),
  /** Web pages that may call, as browsers say it in `Origin`: `https://app.example.com`. */
  allowedOrigins: z.array(z.string().min(1)).default([]),
  /** Load balancers and TLS proxies in front, whose `X-Forwarded-For` is believed. */
  trustedProxies: addresses().default([]),
};

/** `limits:` in proxy.config.yaml: what a client may send, and how much of it the proxy takes at once. */
export const limitsShape = {
  /** The largest body of a request. */
  body: bytes(1024).default(4 * 1024 ** 2),
  /** The deepest nesting of a request's JSON. */
  depth: z.int().min(8).max(1000).default(64),
  /** Connections at once. */
  connections: z.int().min(1).default(2000),
  /** Tries without a valid key that one address has in a minute before it is told to wait. */
  badKeys: z.int().min(1).default(60),
  /** Calls on their way at once, of all tenants together. */
  inFlight: z.int().min(1).default(10_000),
  inFlightPerTenant: z.int().min(1).default(1000),
  /** Beyond this mean delay of the event loop only tenants without a call on its way are let in; 0: never mind. */
  loopDelay: duration(0).default(1000),
  /** The same for the memory of the proxy's own process; left out: half of what there is. */
  memory: bytes(1024 ** 2).optional(),
};
