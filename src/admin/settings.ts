import { z } from 'zod';

/** `admin:` in proxy.config.yaml. */
export const adminShape = {
  /** The unix socket `proxy status` and the other operator's commands talk to. */
  socket: z.string().min(1).default('./.proxy/admin.sock'),
};
