import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../../../src/servers/kit/environment.ts';
import { environment } from '../../../../src/servers/autotask/settings.ts';

const sound = {
  AUTOTASK_API_USERNAME: 'api@example.com',
  AUTOTASK_API_SECRET: 'a-long-secret',
  AUTOTASK_API_INTEGRATION_CODE: 'A-LONG-CODE',
};
const read = (env: Record<string, string>) => readEnvironment({ ...sound, ...env }, environment).settings;

describe('the environment of the Autotask server', () => {
  test('both spellings of the credentials are understood', () => {
    const { settings, secrets } = readEnvironment(
      { AUTOTASK_USERNAME: 'a@b.c', AUTOTASK_SECRET: 'old-secret', AUTOTASK_INTEGRATION_CODE: 'OLD-CODE' },
      environment,
    );
    expect(settings).toMatchObject({ username: 'a@b.c', secret: 'old-secret', integrationCode: 'OLD-CODE' });
    expect(secrets).toEqual(['old-secret', 'OLD-CODE']);
  });

  test('both spellings with different values are a mistake somebody must settle', () => {
    expect(() => read({ AUTOTASK_SECRET: 'another' })).toThrow(
      'AUTOTASK_API_SECRET and AUTOTASK_SECRET mean the same and are set to different values; keep one',
    );
  });

  test.each(['ww6', 'WW6', '6', 'webservices6'])('the zone %s is a host', (zone) => {
    expect(read({ AUTOTASK_ZONE: zone }).zone?.href).toBe(
      'https://webservices6.autotask.net/ATServicesRest/',
    );
  });

  test('a zone nobody has heard of is a zone', () => {
    expect(read({ AUTOTASK_ZONE: 'ww131' }).zone?.host).toBe('webservices131.autotask.net');
  });

  test.each(['evil.example', 'ww6.evil.example', 'ww', '../6'])('%s is no zone', (zone) => {
    expect(() => read({ AUTOTASK_ZONE: zone })).toThrow(/AUTOTASK_ZONE: write ww and the number/);
  });

  test.each([
    ['https://webservices6.autotask.net', 'https://webservices6.autotask.net/ATServicesRest/'],
    ['https://webservices6.autotask.net/ATServicesRest', 'https://webservices6.autotask.net/ATServicesRest/'],
    [
      'https://webservices6.autotask.net/atservicesrest/v1.0/',
      'https://webservices6.autotask.net/atservicesrest/',
    ],
  ])('the URL %s is understood', (written, meant) => {
    expect(read({ AUTOTASK_API_URL: written }).apiUrl?.href).toBe(meant);
  });

  test.each([
    'https://webservices.autotask.net/atservices/1.6/atws.asmx',
    'https://webservices2.autotask.net/ATServices/1.6/atws.asmx',
    'https://webservices2.autotask.net/atservices/1.5/',
  ])('the SOAP URL %s of older settings is refused with advice', (url) => {
    expect(() => read({ AUTOTASK_API_URL: url })).toThrow(/SOAP API, which is not used here; leave it out/);
  });

  test('a transport it does not have is refused, the one it has may be named', () => {
    expect(read({ TRANSPORT: 'stdio' }).transport).toBe('stdio');
    expect(() => read({ TRANSPORT: 'sse' })).toThrow(/the proxy in front speaks HTTP/);
  });

  test.each(['0', '4', '2.5'])('%s threads are not what Autotask allows', (threads) => {
    expect(() => read({ AUTOTASK_THREADS: threads })).toThrow(/from 1 to 3/);
  });
});
