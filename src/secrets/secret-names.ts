/** The last word of a name says what it holds: `DB_PASSWORD` is one, `PASSWORD_POLICY` and `TOKEN_URL` are none. */
const credentialName = new RegExp(
  [
    // `PGPASSWORD` too: long words are found wherever the last word begins.
    '(?:PASSWORDS?|PASSWD|PASSPHRASE|SECRETS?|TOKENS?|CREDENTIALS?|APIKEYS?)_?\\d*$',
    '(?:^|_)(?:KEYS?|PASS(?:CODE)?|PWD|PAT|AUTH(?:ORIZATION)?|BEARER|COOKIE|INTEGRATION_?CODE)_?\\d*$',
  ].join('|'),
  'i',
);
/** Keys that are for everybody to see, or no keys. */
const publicName = /(?:^|_)(?:PUBLIC|PUB|SORT|PARTITION|PRIMARY|FOREIGN|HOT|CACHE)_?KEY_?\d*$/i;

/** Is what has this name a credential, as names go? `apiKey` is read as `api_Key`. */
export function isCredentialName(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[-.]/g, '_');
  return credentialName.test(words) && !publicName.test(words);
}
