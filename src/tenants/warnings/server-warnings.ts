import { looksLikeCredential } from '../../secrets/credential-shapes.ts';
import { parseReferences, type Piece } from '../../secrets/references.ts';
import { isCredentialName } from '../../secrets/secret-names.ts';
import type { ServerDefinition } from '../definition.ts';
import { unpinnedPackage } from './unpinned-package.ts';
import type { Warn } from './warn.ts';

export function warnOfServer(server: ServerDefinition, warn: Warn): void {
  for (const [name, text] of Object.entries(server.env)) warnOfVariable(name, text, warn);
  for (const [index, argument] of server.args.entries()) warnOfArgument(argument, ['args', index], warn);
  const unpinned = unpinnedPackage(server.command ?? '', server.args);
  if (unpinned === undefined) return;
  warn(
    'UNPINNED_PACKAGE',
    ['args'],
    "Whatever version is newest is fetched and run with this tenant's credentials; write the version: NAME@1.2.3 for npx, NAME==1.2.3 for uvx",
  );
}

/** Answers to a question, such as `REQUIRE_AUTH`. */
const noCredential = /^(?:true|false|yes|no|on|off|none|null|\d|basic|bearer|oauth2?|)$/i;

function warnOfVariable(name: string, text: string, warn: Warn): void {
  const place = ['env', name];
  const pieces = parseReferences(text) ?? [];
  const isCredential = isCredentialName(name);
  const plain = pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
  const isPlain = pieces.every(({ kind }) => kind === 'text');
  if (looksLikeCredential(plain) || (isCredential && isPlain && !noCredential.test(plain))) {
    warn(
      'PLAIN_SECRET',
      place,
      `This reads as a credential in plain text; put it into the vault with "proxy secret set" and write \${vault:${name}}, or take it from a variable or a mounted file`,
    );
  }
  if (pieces.some((piece) => hasPlainDefault(piece, isCredential))) {
    warn(
      'DEFAULT_SECRET',
      place,
      'A credential should have no default: without its variable the server runs with a credential that everybody knows; leave the default out, or empty',
    );
  }
  if (/^(?:vault|file|secret):/.test(text) && !text.startsWith('file://')) {
    warn(
      'UNUSED_REFERENCE',
      place,
      'This is passed on as it stands; a reference is written ${vault:NAME} or ${file:/path}',
    );
  }
}

function hasPlainDefault(piece: Piece, isCredential: boolean): boolean {
  if (piece.kind !== 'variable' || piece.fallback === undefined || piece.fallback === '') return false;
  return isCredential || isCredentialName(piece.name) || looksLikeCredential(piece.fallback);
}

function warnOfArgument(argument: string, place: readonly PropertyKey[], warn: Warn): void {
  const [option = '', value = ''] = argument.split(/=(.*)/s, 2);
  const isOption = option.startsWith('-') && value !== '' && isCredentialName(option.replace(/^-+/, ''));
  if (/\$\{[A-Za-z_]/.test(argument)) {
    warn(
      'UNUSED_REFERENCE',
      place,
      'References are filled in under env only: every user of the machine can read arguments',
    );
  } else if (isOption || looksLikeCredential(argument)) {
    warn(
      'PLAIN_SECRET',
      place,
      'This reads as a credential, and every user of the machine can read arguments; most servers take it from a variable',
    );
  }
}
