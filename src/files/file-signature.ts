import { type Stats, statSync } from 'node:fs';

/** What changes when a file does; links are followed. Empty if there is none, an error's code if it may not be looked at. */
export function fileSignature(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat ? signatureOf(stat) : '';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? 'unknown error';
  }
}

export const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
