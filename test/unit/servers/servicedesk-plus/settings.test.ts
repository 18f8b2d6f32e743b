import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../../../src/servers/kit/environment.ts';
import {
  consoleUrl,
  dataCenter,
  dataCenterCodes,
  dataCenterOfHost,
} from '../../../../src/servers/servicedesk-plus/data-centers.ts';
import { environment, placesOf } from '../../../../src/servers/servicedesk-plus/settings.ts';

const credentials = {
  SDP_CLIENT_ID: '1000.A',
  SDP_CLIENT_SECRET: 'secret-a',
  SDP_REFRESH_TOKEN: '1000.refresh-a',
};
const places = (env: Record<string, string>) =>
  placesOf(readEnvironment({ ...credentials, ...env }, environment).settings);
const addresses = (env: Record<string, string>) => {
  const { apiRoot, accountsUrl } = places(env);
  return [apiRoot.href, accountsUrl.href];
};

describe('the ten data centres', () => {
  test.each([
    ['US', 'sdpondemand.manageengine.com', 'accounts.zoho.com', 'api-console.zoho.com'],
    ['EU', 'sdpondemand.manageengine.eu', 'accounts.zoho.eu', 'api-console.zoho.eu'],
    ['IN', 'sdpondemand.manageengine.in', 'accounts.zoho.in', 'api-console.zoho.in'],
    ['AU', 'servicedeskplus.net.au', 'accounts.zoho.com.au', 'api-console.zoho.com.au'],
    ['JP', 'servicedeskplus.jp', 'accounts.zoho.jp', 'api-console.zoho.jp'],
    ['CN', 'servicedeskplus.cn', 'accounts.zoho.com.cn', 'api-console.zoho.com.cn'],
    ['CA', 'servicedeskplus.ca', 'accounts.zohocloud.ca', 'api-console.zohocloud.ca'],
    ['UK', 'servicedeskplus.uk', 'accounts.zoho.uk', 'api-console.zoho.uk'],
    ['SA', 'servicedeskplus.sa', 'accounts.zoho.sa', 'api-console.zoho.sa'],
    ['AE', 'servicedeskplus.ae', 'accounts.zoho.ae', 'api-console.zoho.ae'],
  ] as const)('%s has its API at %s and its tokens from %s', (code, api, accounts, selfClients) => {
    expect(addresses({ SDP_DATA_CENTER: code })).toEqual([`https://${api}/api/v3`, `https://${accounts}/`]);
    expect(consoleUrl(dataCenter(code))).toBe(`https://${selfClients}/`);
  });

  test('there are no others, and each is known by its host and by names below it', () => {
    expect(dataCenterCodes).toHaveLength(10);
    for (const code of dataCenterCodes) {
      const { apiHost } = dataCenter(code);
      expect(dataCenterOfHost(apiHost)?.code).toBe(code);
      expect(dataCenterOfHost(`acme.${apiHost}`)?.code).toBe(code);
      expect(dataCenterOfHost(`evil-${apiHost}`)).toBeUndefined();
      expect(dataCenterOfHost(`${apiHost}.example`)).toBeUndefined();
    }
  });
});

describe('where the portal is', () => {
  test('with a base URL and an instance, as the first founding document has it', () => {
    expect(
      addresses({
        SDP_BASE_URL: 'https://instance1.sdpondemand.manageengine.com',
        SDP_INSTANCE_NAME: 'instance1',
      }),
    ).toEqual([
      'https://instance1.sdpondemand.manageengine.com/app/instance1/api/v3',
      'https://accounts.zoho.com/',
    ]);
  });

  test('with a data centre and allowed scopes, as the second has it', () => {
    const env = {
      SDP_DATA_CENTER: 'eu',
      SDP_ALLOWED_SCOPES: 'SDPOnDemand.requests.ALL,SDPOnDemand.problems.READ',
    };
    expect(addresses(env)).toEqual([
      'https://sdpondemand.manageengine.eu/api/v3',
      'https://accounts.zoho.eu/',
    ]);
    const { settings } = readEnvironment({ ...credentials, ...env }, environment);
    expect(settings.allowedScopes).toEqual(['SDPOnDemand.requests.ALL', 'SDPOnDemand.problems.READ']);
  });

  test.each([
    'https://sdpondemand.manageengine.eu/app/itdesk',
    'https://sdpondemand.manageengine.eu/app/itdesk/HomePage.do',
  ])('as a browser shows it: %s', (url) => {
    expect(addresses({ SDP_BASE_URL: url })[0]).toBe('https://sdpondemand.manageengine.eu/app/itdesk/api/v3');
  });

  test('at a domain of one’s own, with the data centre or the accounts server beside it', () => {
    const url = 'https://help.acme.example';
    expect(addresses({ SDP_BASE_URL: url, SDP_DATA_CENTER: 'CA' })).toEqual([
      'https://help.acme.example/api/v3',
      'https://accounts.zohocloud.ca/',
    ]);
    // The other name that sources give for Canada.
    expect(addresses({ SDP_BASE_URL: url, SDP_ACCOUNTS_URL: 'https://accounts.zoho.ca' })[1]).toBe(
      'https://accounts.zoho.ca/',
    );
  });

  test.each([
    [{}, /SDP_DATA_CENTER or SDP_BASE_URL/],
    [{ SDP_BASE_URL: 'https://help.acme.example' }, /SDP_DATA_CENTER must be set/],
    [
      { SDP_BASE_URL: 'https://sdpondemand.manageengine.eu', SDP_DATA_CENTER: 'US' },
      /is in the data centre EU/,
    ],
    [
      { SDP_BASE_URL: 'https://sdpondemand.manageengine.eu/app/a', SDP_INSTANCE_NAME: 'b' },
      /different portals/,
    ],
    [{ SDP_BASE_URL: 'https://sdpondemand.manageengine.eu/somewhere' }, /write https/],
    [{ SDP_BASE_URL: 'http://sdpondemand.manageengine.eu' }, /https/],
    [{ SDP_DATA_CENTER: 'EU', SDP_INSTANCE_NAME: 'a/../../b' }, /SDP_INSTANCE_NAME/],
    [{ SDP_DATA_CENTER: 'MARS' }, /US, EU, IN, AU, JP, CN, CA, UK, SA, AE/],
    [{ SDP_DATA_CENTER: 'EU', SDP_ALLOWED_SCOPES: 'requests.READ' }, /requests\.READ: write/],
  ])('%o is told before anything starts', (env, text) => {
    expect(() => places(env as Record<string, string>)).toThrow(text);
  });

  test('missing credentials are told all at once', () => {
    expect(() => readEnvironment({}, environment)).toThrow(
      /SDP_CLIENT_ID[\s\S]*SDP_CLIENT_SECRET[\s\S]*SDP_REFRESH_TOKEN/,
    );
  });
});
