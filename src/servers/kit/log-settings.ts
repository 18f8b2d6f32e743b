import { optional } from './environment.ts';
import { logLevels } from './logger.ts';
import { choice } from './variable-kinds.ts';

/** Every server has these. */
export const logSettings = {
  level: optional(choice(logLevels), ['LOG_LEVEL'], 'what is told on stderr', 'info'),
};
