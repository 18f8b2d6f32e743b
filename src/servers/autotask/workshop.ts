import type { Workshop } from '../kit/serve.ts';
import type { environment } from './settings.ts';

/** What this server's parts are given. */
export type AutotaskWorkshop = Workshop<typeof environment>;
