import { type Dirent, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** Something of the machine's files that a sandbox shows at the place where it is. */
export type Shown =
  | { readonly kind: 'read' | 'write'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** What no sandbox ever shows, and what it shows only when asked for by name. Absolute, without symbolic links. */
export interface Hidden {
  readonly secret: readonly string[];
  readonly personal: readonly string[];
}

/** More entries than this on the way to what is hidden, and the folder is not shown at all. */
const maxEntries = 2000;

/**
 * A file or folder, without what is hidden in it. A folder that holds something hidden is not shown as a whole with a
 * cover over it, which would slip when somebody replaces what is under it: its other entries are shown one by one.
 */
export function show(file: string, kind: 'read' | 'write', hidden: Hidden): Shown[] {
  const real = realPath(file);
  if (real === undefined || hidden.secret.some((each) => isIn(real, each))) return [];
  const shown = showReal(real, kind, [...hidden.secret, ...hidden.personal]);
  const links = real === file ? [] : linksOf(file);
  return [...shown, ...links];
}

/** Is `file` this folder, or something in it? */
export function isIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Without symbolic links; undefined if it is not there. */
export function realPath(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}

function showReal(real: string, kind: 'read' | 'write', hidden: readonly string[]): Shown[] {
  const within = hidden.filter((each) => each !== real && isIn(each, real));
  if (within.length === 0) return [{ kind, path: real }];
  const entries = entriesOf(real);
  if (entries.length > maxEntries) return [];
  return entries.flatMap((entry): Shown[] => {
    const file = path.join(real, entry.name);
    if (within.includes(file)) return [];
    // As a link it shows nothing that is not shown by itself.
    if (entry.isSymbolicLink()) return linkAt(file);
    return showReal(file, kind, within);
  });
}

/** The symbolic links on the way to a file, so that it is found under the name it was asked for. */
function linksOf(file: string): Shown[] {
  const { root } = path.parse(file);
  let at = root;
  for (const part of path.relative(root, file).split('/')) {
    at = path.join(at, part);
    const [link] = linkAt(at);
    if (link?.kind !== 'link') continue;
    const rest = path.relative(at, file);
    const next = path.resolve(path.dirname(at), link.target, rest);
    return next === file ? [link] : [link, ...linksOf(next)];
  }
  return [];
}

function linkAt(file: string): Shown[] {
  try {
    return lstatSync(file).isSymbolicLink() ? [{ kind: 'link', path: file, target: readlinkSync(file) }] : [];
  } catch {
    return [];
  }
}

/** What is in a folder; nothing if it cannot be read. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
