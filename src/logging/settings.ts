import { z } from 'zod';

/** `log:` in proxy.config.yaml. */
export const logShape = {
  /** `debug` has a line for each call. */
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  format: z.enum(['json', 'text']).default('json'),
};
