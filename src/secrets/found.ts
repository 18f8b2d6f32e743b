/** What a reference leads to. */
export type Found =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly trouble: Trouble };

/** Why a reference leads nowhere and what to do; holds no value. */
export interface Trouble {
  readonly code:
    | 'INVALID_SETTING'
    | 'MISSING_VARIABLE'
    | 'MISSING_SECRET'
    | 'UNREADABLE'
    | 'VAULT_LOCKED'
    | 'VAULT_DAMAGED';
  readonly message: string;
}
