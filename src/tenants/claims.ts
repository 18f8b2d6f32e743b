import type { Input } from '../secrets/sources.ts';
import type { Problem, Warning } from '../yaml/problem.ts';
import type { TenantPlaces } from './read-tenant.ts';
import type { Tenant } from './tenant.ts';
import { idOfFile } from './tenant-file.ts';

/** One file of the folder: what it says now, and what of it is in force. */
export interface TenantRecord {
  readonly name: string;
  /** What problems call it. */
  readonly file: string;
  readonly signature: string;
  /** Other files it was read from. */
  readonly inputs: readonly Input[];
  /** What the file says, if it is sound by itself. */
  readonly candidate: Tenant | undefined;
  readonly places: TenantPlaces;
  /** What is wrong with the file by itself. */
  readonly problems: readonly Problem[];
  /** What is worth a word although the file is sound. */
  readonly warnings: readonly Warning[];
}

export interface Settled {
  /** In force from now on, by id. */
  readonly tenants: ReadonlyMap<string, Tenant>;
  /** What is wrong between files. */
  readonly conflicts: readonly Problem[];
}

interface Claim {
  readonly record: TenantRecord;
  readonly tenant: Tenant;
}

interface Conflict {
  readonly record: TenantRecord;
  readonly problem: Problem;
}

/**
 * An id and a key belong to one tenant. Where two files claim the same, who has it already keeps it (nobody can take
 * over a key by writing its digest into a file), else the first by name; the other file is as good as broken, and
 * its last good version goes on. `before`: what is in force until now.
 */
export function settleClaims(records: readonly TenantRecord[], before: ReadonlyMap<string, Tenant>): Settled {
  const conflicts: Problem[] = [];
  const rejected = new Set<TenantRecord>();
  for (;;) {
    const claims = claimsOf(records, rejected, before);
    const found = findConflicts(claims, before).filter(({ record }) => !rejected.has(record));
    if (found.length === 0) {
      const tenants = new Map(claims.map(({ tenant }) => [tenant.id as string, tenant]));
      return { tenants, conflicts };
    }
    for (const { record, problem } of found) {
      if (!rejected.has(record)) conflicts.push(problem);
      rejected.add(record);
    }
  }
}

function claimsOf(
  records: readonly TenantRecord[],
  rejected: ReadonlySet<TenantRecord>,
  before: ReadonlyMap<string, Tenant>,
): Claim[] {
  const claims: Claim[] = [];
  const ids = new Set<string>();
  // Sound files first: of acme.yaml and a broken acme.yml, the last good version must not come in twice.
  for (const record of records) {
    if (!record.candidate || rejected.has(record)) continue;
    claims.push({ record, tenant: record.candidate });
    ids.add(record.candidate.id);
  }
  for (const record of records) {
    if (record.candidate && !rejected.has(record)) continue;
    const lastGood = before.get(idOfFile(record.name));
    if (!lastGood || ids.has(lastGood.id)) continue;
    claims.push({ record, tenant: lastGood });
    ids.add(lastGood.id);
  }
  return claims;
}

function findConflicts(claims: readonly Claim[], before: ReadonlyMap<string, Tenant>): Conflict[] {
  return [...findTwins(claims, before), ...findSharedKeys(claims, before)];
}

function findTwins(claims: readonly Claim[], before: ReadonlyMap<string, Tenant>): Conflict[] {
  const found: Conflict[] = [];
  const ids = new Map<string, Claim>();
  for (const claim of claims) {
    const { record, tenant } = claim;
    const twin = ids.get(tenant.id)?.record;
    // The file that is in force already is not pushed out by another beside it.
    const isFirst = !twin || before.get(tenant.id) === tenant;
    if (isFirst) ids.set(tenant.id, claim);
    if (twin) found.push(isFirst ? twins(twin, record) : twins(record, twin));
  }
  return found;
}

function findSharedKeys(claims: readonly Claim[], before: ReadonlyMap<string, Tenant>): Conflict[] {
  const holders = holdersOf(claims, before);
  return claims.flatMap(({ record, tenant }) => {
    const isTaken = ({ sha256 }: { sha256: string }) => holders.get(sha256)?.tenant.id !== tenant.id;
    const index = tenant.keys.findIndex(isTaken);
    const holder = holders.get(tenant.keys[index]?.sha256 ?? '');
    return holder ? [{ record, problem: sharedKey(record, index, holder) }] : [];
  });
}

/** Who has each key: who has it already, else who comes first. */
function holdersOf(claims: readonly Claim[], before: ReadonlyMap<string, Tenant>): Map<string, Claim> {
  const holders = new Map<string, Claim>();
  const hadIt = (claim: Claim, sha256: string) =>
    before.get(claim.tenant.id)?.keys.some((key) => key.sha256 === sha256) ?? false;
  for (const claim of claims) {
    for (const { sha256 } of claim.tenant.keys) {
      const holder = holders.get(sha256);
      if (!holder || (!hadIt(holder, sha256) && hadIt(claim, sha256))) holders.set(sha256, claim);
    }
  }
  return holders;
}

function twins(record: TenantRecord, winner: TenantRecord): Conflict {
  const message = `${winner.file} is the same tenant's; remove one of the two`;
  const { file, places } = record;
  return { record, problem: { file, ...places.tenant, code: 'DUPLICATE_TENANT', message } };
}

function sharedKey(record: TenantRecord, index: number, holder: Claim): Problem {
  const message = `The tenant ${holder.tenant.id} has this key; make one of its own with: proxy key create`;
  return {
    file: record.file,
    ...(record.places.keys[index] ?? record.places.tenant),
    code: 'DUPLICATE_KEY',
    message,
  };
}
