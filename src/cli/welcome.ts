import type { Config } from '../config/load-config.ts';
import { KeyFileError } from '../tenants/key-file.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { plainText } from '../text/plain-text.ts';
import { clientTexts } from './client-texts.ts';
import { makeKey } from './make-key.ts';
import { readTenants } from './read-tenants.ts';
import { targetsOf } from './targets.ts';
import type { Terminal } from './terminal.ts';

export interface WelcomeParts {
  readonly config: Config;
  readonly url: string;
  /** Have the running proxy take in the keys that were made. */
  readonly reload: () => Promise<unknown>;
}

/** What a key made at the first start is called. */
const keyName = 'first-run';
/** Of more tenants than this only the names are said. */
const maxShown = 5;

/** Makes a first key for every tenant without one, and prints what to paste into clients. */
export async function welcome(terminal: Terminal, { config, url, reload }: WelcomeParts): Promise<void> {
  const { tenants } = await readTenants(config);
  const enabled = tenants.filter((tenant) => tenant.enabled);
  const keys = new Map<string, string>();
  for (const tenant of enabled) {
    const key = tenant.keys.length === 0 ? await firstKey(terminal, tenant) : undefined;
    if (key !== undefined) keys.set(tenant.id, key);
  }
  if (keys.size > 0) await reload();
  terminal.out(`\nServing ${enabled.length} tenants at ${url}\n`);
  for (const tenant of enabled.slice(0, maxShown)) show(terminal, tenant, url, keys.get(tenant.id));
  const others = enabled.slice(maxShown);
  if (others.length > 0) terminal.out(`\nand ${plainText(others.map(({ id }) => id).join(', '))}\n`);
  terminal.out('\nWhat it is doing:  npx proxy status --watch      To stop it:  Ctrl-C\n\n');
}

/** A folder that cannot be written (a ConfigMap, say) is no reason not to serve. */
async function firstKey(terminal: Terminal, { id, file }: Tenant): Promise<string | undefined> {
  try {
    return await makeKey(file, keyName);
  } catch (thrown) {
    if (!(thrown instanceof KeyFileError)) throw thrown;
    terminal.err(`no first key for ${id}: ${thrown.message}\n`);
    return undefined;
  }
}

function show(terminal: Terminal, tenant: Tenant, url: string, key: string | undefined): void {
  const { id } = tenant;
  terminal.out(`\n── ${id} ${'─'.repeat(Math.max(3, 76 - id.length))}\n`);
  if (key === undefined) {
    terminal.out(`  Its keys were made before; another one:  npx proxy key create ${id} --name NAME\n`);
    terminal.out(`  What to paste into clients:              npx proxy client-config ${id} --key KEY\n`);
    return;
  }
  terminal.out(`  Key, shown only now:\n    ${key}\n\n`);
  for (const target of targetsOf(tenant, url, key)) terminal.out(clientTexts(target));
}
