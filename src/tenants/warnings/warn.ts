import type { WarningCode } from '../../yaml/problem.ts';

/** Told of what an operator would rather not have, by its place within the server. */
export type Warn = (code: WarningCode, path: readonly PropertyKey[], message: string) => void;
