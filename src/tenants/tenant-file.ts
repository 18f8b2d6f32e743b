import { lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { signatureOf } from '../files/file-signature.ts';
import { readRegularFile } from '../files/read-regular-file.ts';
import { decodeText } from '../yaml/decode.ts';
import type { Problem } from '../yaml/problem.ts';

/** A page of settings is a few KiB. */
const maxFileBytes = 64 * 1024;
const tenantFile = /^[^.].*\.ya?ml$/;

/** Is a file of this name one of a tenant? Hidden files are editors' and Kubernetes' own. */
export const isTenantFile = (name: string) => tenantFile.test(name) && !name.endsWith('~');

/** `acme.yaml` is the file of `acme`. */
export const idOfFile = (name: string) => name.replace(/\.ya?ml$/, '');

/** What can be seen of a file without reading it. */
export interface FileState {
  /** Changes when the file does. */
  readonly signature: string;
  /** Since its last change, in milliseconds. */
  readonly ageMs: number;
}

/** Of a link that leads nowhere. */
const nothing = 'nothing behind it';

/**
 * The state of a file; undefined if there is none. Links are followed: a Kubernetes ConfigMap is swapped by turning
 * one link, `..data`, and the files behind it are others then. A link that leads nowhere, as it may for a moment then,
 * is there all the same: reading it will say so in a problem.
 */
export function fileState(file: string): FileState | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat) return { signature: signatureOf(stat), ageMs: Date.now() - stat.ctimeMs };
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    return isLink ? { signature: nothing, ageMs: 0 } : undefined;
  } catch (thrown) {
    // It is there and may not be looked at; reading it will say so in a problem.
    return { signature: codeOf(thrown), ageMs: Number.POSITIVE_INFINITY };
  }
}

export type FileText = { readonly text: string } | { readonly problem: Problem };

/** The text of a tenant's file; `shown` is what problems call it. */
export function readTenantFile(file: string, shown: string): FileText {
  const problem = (code: Problem['code'], message: string): FileText => ({
    problem: { file: shown, line: 0, column: 0, code, message },
  });
  const read = readRegularFile(file, maxFileBytes);
  if (read.ok) return decodeText(read.bytes, shown);
  const { reason } = read;
  if (reason === 'no file') return problem('UNREADABLE', 'It is no file, or it may not be looked at');
  if (reason === 'ENOENT')
    return problem(
      'UNREADABLE',
      'It is a link that leads nowhere; put back what it leads to, or remove the link to end the tenant',
    );
  if (reason === 'too big') return problem('TOO_BIG', `It is larger than ${maxFileBytes / 1024} KiB`);
  return problem('UNREADABLE', `It cannot be read: ${reason}; look at its owner and mode`);
}

export type FolderNames = { readonly names: readonly string[] } | { readonly problem: Problem };

/** The tenants' files in a folder, by name and in order. */
export function listTenantFiles(folder: string, shown: string): FolderNames {
  try {
    return { names: readdirSync(folder).filter(isTenantFile).sort() };
  } catch (thrown) {
    const message = `The tenants folder cannot be read: ${codeOf(thrown)}; look whether it is there, and at its owner and mode`;
    return { problem: { file: shown, line: 0, column: 0, code: 'UNREADABLE', message } };
  }
}

/** How people know a file: relative to where they are, if it is below. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative === '' || relative.startsWith('..') ? file : relative;
}

const codeOf = (thrown: unknown) => (thrown as { code?: string }).code ?? 'unknown error';
