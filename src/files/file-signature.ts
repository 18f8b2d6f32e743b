import { type Stats, statSync } from 'node:fs';

/** What changes when a file does; links are followed. Empty if there is none, an error's code if it may not be looked at. */
export function fileSignature(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat ? signatureOf(stat) : '';
  } catch (thrown) {
    const { code = 'unknown error' } = thrown as { code?: string };
    // Node 20 throws where something in the way is no folder; Node 24 does not.
    return code === 'ENOTDIR' ? '' : code;
  }
}

export const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
