/** Where a command writes, and what can be shown there. Tests give their own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly colours: boolean;
  /** Columns; undefined where output is not a terminal and nothing need be cut. */
  width(): number | undefined;
}

/** 0: fine · 1: a problem was found · 2: no proxy reachable, or the command was misused. */
export type ExitCode = 0 | 1 | 2;

export const processTerminal: Terminal = {
  out(text) {
    process.stdout.write(text);
  },
  err(text) {
    process.stderr.write(text);
  },
  // https://no-color.org: any value that is not empty.
  colours: process.stdout.isTTY && !process.env['NO_COLOR'],
  width: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
};
