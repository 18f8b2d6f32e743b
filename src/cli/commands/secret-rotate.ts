import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/load-config.ts';
import { replaceFile } from '../../files/replace-file.ts';
import { type MasterKeys, parseMasterKeys } from '../../secrets/vault/master-key.ts';
import { fetchMasterKeys } from '../../secrets/vault/master-key-source.ts';
import type { VaultEditor } from '../../secrets/vault/vault-editor.ts';
import { counted } from '../../text/plain-text.ts';
import { newMasterKey } from '../master-keys.ts';
import { onVault } from '../on-vault.ts';
import { tellRunningProxy } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

export function secretRotate(
  terminal: Terminal,
  options: { readonly config: string; readonly newKey?: boolean },
): Promise<ExitCode> {
  return onVault(terminal, options.config, async (vault, config) => {
    const { masterKey } = config.secrets;
    if (options.newKey === true) {
      if ('file' in masterKey) return rotateKeyFile(terminal, vault, config, masterKey.file);
      terminal.err(
        '--new-key is for a master key in a file (secrets.masterKey.file); let your variable or command give the new key first and the old one below it, and run this without --new-key\n',
      );
      return 2;
    }
    let keys: MasterKeys | undefined;
    const count = await vault.rotate(async () => (keys = await fetchMasterKeys(masterKey, process.env)));
    await tell(terminal, config, count);
    if (keys && keys.length > 1)
      terminal.err('The keys below the first are not needed any more; take them away.\n');
    return 0;
  });
}

/** At every moment the file has the key of every record: the old key leaves last. */
async function rotateKeyFile(
  terminal: Terminal,
  vault: VaultEditor,
  config: Config,
  file: string,
): Promise<ExitCode> {
  const fresh = newMasterKey();
  let both = '';
  const withNewKey = async (): Promise<MasterKeys> => {
    // What is no key must not be taken for one that comes second.
    await fetchMasterKeys({ file }, process.env);
    both = `${fresh}\n${await readFile(file, 'utf8')}`;
    return parseMasterKeys(Buffer.from(both));
  };
  const count = await vault.rotate(withNewKey, {
    // Not before every record could be opened: a file that has the wrong key stays as it is.
    ready: () => replaceFile(file, both),
    done: () => replaceFile(file, `${fresh}\n`),
  });
  await tell(terminal, config, count);
  terminal.err(
    `${file} has the new key only. Keep a copy of it where the vault is not; backups of the vault from before need the old one.\n`,
  );
  return 0;
}

async function tell(terminal: Terminal, config: Config, count: number): Promise<void> {
  await tellRunningProxy(config);
  terminal.out(`${counted(count, 'secret')} sealed anew with the newest master key\n`);
}
