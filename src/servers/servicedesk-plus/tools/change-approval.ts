import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { isNoAddress } from '../api/answer.ts';
import { isObject } from '../api/complaints.ts';
import type { Portal } from '../api/service-desk.ts';
import { id } from './fields.ts';
import { deskTool, type ToolMaker } from './module.ts';
import { type AnyRecord, anyRecord } from './records.ts';

/** Where an approval stands. */
interface Place {
  readonly changeId: string;
  readonly levelId: string;
  readonly approvalId: string;
}

/** Sources name both. The one that a portal does not have does nothing there, so the other may be tried. */
const actions = ['approve', '_approve'] as const;
type Action = (typeof actions)[number];

/** More levels or approvals than any change has. */
const page = { list_info: { row_count: 100, start_index: 1 } };

export const approveChange: ToolMaker = (desk) => {
  let known: Action | undefined;

  async function approve(place: Place, comments: string, portal: Portal): Promise<AnyRecord> {
    for (const action of known === undefined ? actions : [known]) {
      const answer = await act(action, { place, comments, portal });
      if (!answer) continue;
      known = action;
      return answer;
    }
    throw new ToolFailure('NOT_FOUND', 'This portal has neither of the addresses that approve', {
      hint: 'Look at list_change_approval_levels whether the ids are right, or approve in the portal',
    });
  }

  return deskTool({
    name: 'approve_change',
    title: 'Approve a change',
    description:
      'Approves a change as the technician behind the refresh token. Without ids it takes the only approval that is pending; where there are several it gives them back to choose from',
    effect: 'update',
    scopes: ['SDPOnDemand.changes.UPDATE'],
    input: z.strictObject({
      changeId: id("The change's long id"),
      levelId: id('The approval level, as in list_change_approval_levels').optional(),
      approvalId: id('The approval on that level').optional(),
      comments: z.string().max(250).default('').describe('Why'),
    }),
    output: z.object({
      approved: z.boolean().describe('false: there are several to choose from, and nothing was approved'),
      approval: anyRecord.optional(),
      pending: z
        .array(z.object({ levelId: z.string(), approvalId: z.string(), approver: z.string() }))
        .optional(),
    }),
    async run({ changeId, levelId, approvalId, comments }, portal) {
      const pending =
        levelId !== undefined && approvalId !== undefined
          ? [{ levelId, approvalId, approver: '' }]
          : await pendingIn(portal, { changeId, levelId, approvalId });
      const [only, another] = pending;
      if (!only)
        throw new ToolFailure('NOT_FOUND', 'No approval of this change is pending', { hint: hintNothing });
      if (another) return { data: { approved: false, pending: [...pending] } };
      const approval = await approve({ changeId, ...only }, comments, portal);
      return { data: { approved: true, approval } };
    },
  })(desk);
};

const hintNothing = 'It may be approved already, or still be before the stage that asks for approval';

/** Undefined if the portal has no such action. Nothing was done then. */
async function act(
  action: Action,
  { place, comments, portal }: { readonly place: Place; readonly comments: string; readonly portal: Portal },
): Promise<AnyRecord | undefined> {
  const { changeId, levelId, approvalId } = place;
  const path = ['changes', changeId, 'approval_levels', levelId, 'approvals', approvalId, action];
  try {
    const body = await portal.send({ method: 'PUT', path, input: { approval: { comments } } });
    return isObject(body['approval']) ? body['approval'] : {};
  } catch (thrown) {
    if (isNoAddress(thrown)) return undefined;
    throw thrown;
  }
}

interface Wanted {
  readonly changeId: string;
  readonly levelId: string | undefined;
  readonly approvalId: string | undefined;
}

interface Pending {
  readonly levelId: string;
  readonly approvalId: string;
  readonly approver: string;
}

/** The approvals that wait, level by level; ids that are given narrow them down. */
async function pendingIn(
  portal: Portal,
  { changeId, levelId, approvalId }: Wanted,
): Promise<readonly Pending[]> {
  const path = ['changes', changeId, 'approval_levels'];
  const levels = levelId === undefined ? await rowsOf(portal, path, 'approval_levels') : [{ id: levelId }];
  const found: Pending[] = [];
  for (const level of levels) {
    const ofLevel = String(level['id']);
    for (const approval of await rowsOf(portal, [...path, ofLevel, 'approvals'], 'approvals')) {
      const own = String(approval['id']);
      const isMeant = approvalId === undefined || own === approvalId;
      if (isMeant && isPending(approval))
        found.push({ levelId: ofLevel, approvalId: own, approver: approverOf(approval) });
    }
  }
  return found;
}

async function rowsOf(portal: Portal, path: readonly string[], key: string): Promise<readonly AnyRecord[]> {
  const body = await portal.send({ method: 'GET', path, input: page });
  const rows = body[key];
  return Array.isArray(rows) ? (rows as unknown[]).filter(isObject) : [];
}

function isPending({ status }: AnyRecord): boolean {
  const name = isObject(status) ? status['name'] : status;
  return typeof name === 'string' && /pending/i.test(name);
}

function approverOf({ approver }: AnyRecord): string {
  if (!isObject(approver)) return '';
  return [approver['name'], approver['email_id']].filter((part) => typeof part === 'string').join(' ');
}
