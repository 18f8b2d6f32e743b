import { optional, required } from '../kit/environment.ts';
import { choice, integer, secret, text, webUrl } from '../kit/variable-kinds.ts';
import { restUrl, zoneUrl } from './api-url.ts';

/** What the server reads from its environment. Both spellings of the credentials are in use elsewhere. */
export const environment = {
  username: required(
    text('a user name, mostly an e-mail address'),
    ['AUTOTASK_API_USERNAME', 'AUTOTASK_USERNAME'],
    "the API user's name",
  ),
  secret: required(secret(), ['AUTOTASK_API_SECRET', 'AUTOTASK_SECRET'], "the API user's secret"),
  integrationCode: required(
    secret(),
    ['AUTOTASK_API_INTEGRATION_CODE', 'AUTOTASK_INTEGRATION_CODE'],
    'the tracking identifier of the integration',
  ),
  zone: optional(zoneUrl(), ['AUTOTASK_ZONE'], 'the zone, where it should not be looked up'),
  apiUrl: optional(restUrl(), ['AUTOTASK_API_URL'], 'the REST API, where it should not be looked up'),
  zoneLookupUrl: optional(
    webUrl(),
    ['AUTOTASK_ZONE_URL'],
    'where the zone of a user is looked up',
    new URL('https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation'),
  ),
  impersonationResourceId: optional(
    integer(1, 999_999_999_999),
    ['AUTOTASK_IMPERSONATION_RESOURCE_ID'],
    'the resource in whose name records are written',
  ),
  tenantId: optional(text(), ['TENANT_ID'], 'what this account is called in messages of test_connection'),
  timeoutMs: optional(integer(100, 300_000), ['AUTOTASK_TIMEOUT_MS'], 'for one request', 30_000),
  threads: optional(
    integer(1, 3),
    ['AUTOTASK_THREADS'],
    'requests at once to one kind of record; Autotask allows 3 to all processes together',
    2,
  ),
  // Named by the founding document's server, which could be asked over HTTP as well. Here the proxy does that.
  transport: optional(choice(['stdio']), ['TRANSPORT'], 'only stdio; the proxy in front speaks HTTP'),
};
