import { homedir } from 'node:os';
import path from 'node:path';
import {
  type Environment,
  EnvironmentProblem,
  optional,
  required,
  type Settings,
} from '../kit/environment.ts';
import { choice, integer, list, secret, text, webUrl } from '../kit/variable-kinds.ts';
import { scopeShape } from './oauth/scopes.ts';
import { type DataCenter, dataCenter, dataCenterCodes, dataCenterOfHost } from './data-centers.ts';

/** Both ways the founding documents give: a base URL with an instance, or a data centre with allowed scopes. */
export const environment = {
  clientId: required(text(), ['SDP_CLIENT_ID'], "the self-client's id, from Zoho's API console"),
  clientSecret: required(secret(), ['SDP_CLIENT_SECRET'], "the self-client's secret"),
  refreshToken: required(secret(), ['SDP_REFRESH_TOKEN', 'REFRESH_TOKEN'], "the self-client's refresh token"),
  baseUrl: optional(
    webUrl(),
    ['SDP_BASE_URL'],
    'such as https://sdpondemand.manageengine.eu or a domain of your own',
  ),
  instance: optional(
    text(),
    ['SDP_INSTANCE_NAME', 'SDP_PORTAL'],
    'the portal: what follows /app/ in its address',
  ),
  dataCenter: optional(choice(dataCenterCodes), ['SDP_DATA_CENTER'], 'where the account lives'),
  allowedScopes: optional(
    list('scopes with commas between them'),
    ['SDP_ALLOWED_SCOPES', 'SDP_SCOPES'],
    'what tools may do',
  ),
  accountsUrl: optional(webUrl(), ['SDP_ACCOUNTS_URL'], "another accounts server than the data centre's"),
  technicianEmail: optional(text(), ['SDP_TECHNICIAN_EMAIL'], 'whose requests list_my_requests lists'),
  tokenFolder: optional(
    text('a folder'),
    ['SDP_TOKEN_FOLDER'],
    'where access tokens are kept between starts',
  ),
  timeoutSeconds: optional(integer(1, 300), ['SDP_TIMEOUT_SECONDS'], 'how long one answer may take', 30),
} satisfies Environment;

/** Where this tenant's portal and its accounts server are. */
export interface Places {
  /** Ends in `/api/v3`. */
  readonly apiRoot: URL;
  readonly accountsUrl: URL;
  /** Undefined with addresses of one's own and no data centre beside them. */
  readonly dataCenter: DataCenter | undefined;
}

type SdpSettings = Settings<typeof environment>;

const portalName = /^[A-Za-z0-9_-]{1,100}$/;

/** Throws EnvironmentProblem where settings contradict one another or leave the accounts server open. */
export function placesOf(settings: SdpSettings): Places {
  checkScopes(settings);
  const center = centerOf(settings);
  const portal = portalOf(settings);
  const origin = settings.baseUrl?.origin ?? `https://${center?.apiHost ?? ''}`;
  const apiRoot = new URL(portal === undefined ? '/api/v3' : `/app/${portal}/api/v3`, origin);
  return { apiRoot, accountsUrl: accountsOf(settings, center), dataCenter: center };
}

/** A token is good in one data centre only: two that differ would never work. */
function centerOf({ dataCenter: code, baseUrl }: SdpSettings): DataCenter | undefined {
  const byHost = baseUrl && dataCenterOfHost(baseUrl.hostname);
  if (code && byHost && byHost.code !== code) {
    problem(`SDP_BASE_URL is in the data centre ${byHost.code} and SDP_DATA_CENTER says ${code}`);
  }
  if (!code && !baseUrl) problem('SDP_DATA_CENTER or SDP_BASE_URL must be set: where the account lives');
  return code ? dataCenter(code) : byHost;
}

function accountsOf({ accountsUrl }: SdpSettings, center: DataCenter | undefined): URL {
  if (accountsUrl) return accountsUrl;
  if (center) return new URL(`https://${center.accountsHost}`);
  return problem(
    'SDP_DATA_CENTER must be set beside a SDP_BASE_URL of your own: its accounts server is not known',
  );
}

/** Undefined: the portal that the account has by default. */
function portalOf({ baseUrl, instance }: SdpSettings): string | undefined {
  const inUrl = baseUrl && portalIn(baseUrl);
  if (instance && inUrl && instance !== inUrl) {
    problem('SDP_BASE_URL and SDP_INSTANCE_NAME name different portals; keep one');
  }
  const portal = instance ?? inUrl;
  if (portal !== undefined && !portalName.test(portal)) {
    problem('SDP_INSTANCE_NAME: write what follows /app/ in the address of the portal');
  }
  return portal;
}

/** `/app/<portal>` and whatever follows: people copy what their browser shows. */
function portalIn({ pathname }: URL): string | undefined {
  const [, portal] = /^\/app\/([^/]+)/.exec(pathname) ?? [];
  if (portal === undefined && !/^\/(api\/v3\/?)?$/.test(pathname)) {
    problem('SDP_BASE_URL: write https://<host> or https://<host>/app/<portal>');
  }
  return portal;
}

/** What is no scope at all would only show as a tool that is refused. Modules come and go, so any is taken. */
function checkScopes({ allowedScopes = [] }: SdpSettings): void {
  const wrong = allowedScopes.filter((scope) => !scopeShape.test(scope));
  if (wrong.length > 0) {
    problem(
      `SDP_ALLOWED_SCOPES: ${wrong.join(', ')}: write SDPOnDemand.<module>.<ALL, READ, CREATE, UPDATE or DELETE>`,
    );
  }
}

/** Of this user alone; under the proxy's walls each tenant has a home of its own. */
export const tokenFolderOf = ({ tokenFolder }: SdpSettings) =>
  tokenFolder ?? path.join(homedir(), '.cache', 'mcp-tenant-proxy', 'servicedesk-plus');

function problem(text: string): never {
  throw new EnvironmentProblem([text]);
}
