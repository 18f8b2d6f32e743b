import { eventually } from '../../support/eventually.ts';
import { type Cell } from './cell.ts';
import { type EraClient, type Outcome } from './era-client.ts';
import { type Stage } from './stage.ts';

/** Why a square is not as it would be without a proxy, and what is seen there instead. */
export type Verdict =
  { readonly lossy: string; readonly seen: unknown } | { readonly refused: string; readonly seen: unknown };

/** A kind of message, and what its journey comes to in every square of the matrix. */
export interface Row {
  readonly kind: string;
  /** Squares where there is such a thing; left out: all. */
  readonly exists?: (cell: Cell) => boolean;
  /** What a client sees of it. */
  readonly observe: (stage: Stage) => Promise<unknown>;
  /** What it sees when nothing is lost. */
  readonly whole: (cell: Cell) => unknown;
  /** The squares where something is. */
  readonly verdict?: (cell: Cell) => Verdict | undefined;
}

/** Waits for what the product does in its own time, no longer than a row may take. */
export const until = <Value>(
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> => eventually(look, 8000);

/** The text a tool answered with, or its error. */
export function said(outcome: Outcome): unknown {
  if ('error' in outcome) return { error: outcome.error.code };
  const { content, isError } = outcome.result as {
    content?: { text?: string }[];
    isError?: boolean;
  };
  const text = content?.[0]?.text ?? '';
  return isError ? { toolError: text } : text;
}

/** The same where the text is JSON. */
export function saidJson(outcome: Outcome): unknown {
  const text = said(outcome);
  return typeof text === 'string' && /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
}

/** What the server's process says that it has noticed. */
export interface Seen {
  readonly pid: number;
  readonly notifications: Readonly<Record<string, number>>;
  readonly cancelled: readonly unknown[];
  readonly subscribed: readonly string[];
  readonly level: string | null;
  readonly finished: readonly string[];
}

export const seenBy = async (client: EraClient): Promise<Seen> => saidJson(await client.call('seen')) as Seen;

export const heardOf = ({ heard }: EraClient, method: string, since = 0) =>
  heard.slice(since).filter((each) => each.method === method);

/** Without a proxy two clients have no process in common, and there are no principals. */
export const isProxied = ({ way }: Cell): boolean => way !== 'direct';
