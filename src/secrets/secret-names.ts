/** The last word of a name says what it holds: `DB_PASSWORD` is one, `PASSWORD_POLICY` and `TOKEN_URL` are none. */
const credentialName =
  /(?:^|_)(?:(?:API_?|ACCESS_?|PRIVATE_?|SECRET_?|MASTER_?|ENCRYPTION_?|SIGNING_?)?KEY|API_?KEYS?|TOKENS?|SECRETS?|PASS(?:WORD|WD|PHRASE|CODE)?|PWD|CREDENTIALS?|PAT|AUTH|AUTHORIZATION|BEARER|COOKIE|INTEGRATION_?CODE)_?\d*$/i;
/** Keys that are for everybody to see, or no keys. */
const publicName = /(?:^|_)(?:PUBLIC|PUB|SORT|PARTITION|PRIMARY|FOREIGN|HOT|CACHE)_?KEY_?\d*$/i;

/** Is what has this name a credential, as names go? `apiKey` is read as `api_Key`. */
export function isCredentialName(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[-.]/g, '_');
  return credentialName.test(words) && !publicName.test(words);
}
