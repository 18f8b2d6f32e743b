/** Where a tenant's ServiceDesk Plus Cloud lives, and which of Zoho's accounts servers hands out its tokens. */
export interface DataCenter {
  readonly code: DataCenterCode;
  /** Of the portal's API. */
  readonly apiHost: string;
  /** Of the token endpoint. A token is only good in the data centre that issued it. */
  readonly accountsHost: string;
}

export const dataCenterCodes = ['US', 'EU', 'IN', 'AU', 'JP', 'CN', 'CA', 'UK', 'SA', 'AE'] as const;
export type DataCenterCode = (typeof dataCenterCodes)[number];

/** A closed list: tenants' secrets are sent to these hosts. */
const hosts: Readonly<Record<DataCenterCode, readonly [apiHost: string, accountsHost: string]>> = {
  US: ['sdpondemand.manageengine.com', 'accounts.zoho.com'],
  EU: ['sdpondemand.manageengine.eu', 'accounts.zoho.eu'],
  IN: ['sdpondemand.manageengine.in', 'accounts.zoho.in'],
  AU: ['servicedeskplus.net.au', 'accounts.zoho.com.au'],
  JP: ['servicedeskplus.jp', 'accounts.zoho.jp'],
  CN: ['servicedeskplus.cn', 'accounts.zoho.com.cn'],
  CA: ['servicedeskplus.ca', 'accounts.zohocloud.ca'],
  UK: ['servicedeskplus.uk', 'accounts.zoho.uk'],
  SA: ['servicedeskplus.sa', 'accounts.zoho.sa'],
  AE: ['servicedeskplus.ae', 'accounts.zoho.ae'],
};

export function dataCenter(code: DataCenterCode): DataCenter {
  const [apiHost, accountsHost] = hosts[code];
  return { code, apiHost, accountsHost };
}

/** The data centre of an API host or of a name below one, such as `acme.sdpondemand.manageengine.com`. */
export function dataCenterOfHost(host: string): DataCenter | undefined {
  const code = dataCenterCodes.find((each) => {
    const { apiHost } = dataCenter(each);
    return host === apiHost || host.endsWith(`.${apiHost}`);
  });
  return code && dataCenter(code);
}

/** Where self-clients and their refresh tokens are made. */
export const consoleUrl = ({ accountsHost }: DataCenter) =>
  `https://${accountsHost.replace(/^accounts\./, 'api-console.')}/`;
