/** Whose account it is, for people. */
export interface Account {
  readonly username: string;
  readonly tenantId: string | undefined;
}
