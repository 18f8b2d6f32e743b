import { expect } from 'vitest';
import { type FakeTenant } from './fake-service-desk.ts';

/** Ids as the vendor has them: more than a JSON number can hold. */
export const id = (last: number) => `2609620000018480${String(last).padStart(2, '0')}`;

/** A portal in which every tool finds what it looks for. */
export function fillPortal(tenant: FakeTenant): void {
  const tess = { email_id: 'tess@acme.example', name: 'Tess' };
  const rows = [1, 2, 3].map((at) => ({
    id: id(at),
    display_id: String(100 + at),
    subject: `Printer ${at} is on fire`,
    status: { name: at === 3 ? 'Closed' : 'Open' },
    requester: { email_id: 'ann@acme.example' },
    technician: at === 1 ? tess : null,
  }));
  tenant.add('requests', ...rows, {
    id: id(4),
    display_id: '1010',
    subject: 'Other',
    status: { name: 'Open' },
  });
  tenant.add(`requests/${id(1)}/notes`, { id: id(80), description: 'Brought water' });
  tenant.add('problems', { id: id(11), title: 'Printers burn', status: { name: 'Open' } });
  tenant.add('changes', { id: id(21), title: 'Buy better printers', stage: { name: 'Approval' } });
  tenant.add(`changes/${id(21)}/approval_levels`, { id: id(22), name: 'CAB', level: 1 });
  tenant.add(
    `changes/${id(21)}/approval_levels/${id(22)}/approvals`,
    { id: id(23), status: { name: 'Approved' }, approver: { name: 'Ann' } },
    { id: id(24), status: { name: 'Pending Approval' }, approver: { name: 'Tess' } },
  );
  tenant.add('projects', { id: id(31), title: 'Paperless office', status: { name: 'Open' } });
  tenant.add(`projects/${id(31)}/tasks`, { id: id(32), title: 'Sell the printers' });
  tenant.add('assets', {
    id: id(41),
    name: 'PRN-1',
    state: { name: 'In Use' },
    product: { name: 'LaserJet' },
  });
  tenant.add('solutions', { id: id(51), title: 'How to put out a printer', topic: { name: 'Printers' } });
  tenant.add('cmdb/ci_computer', { id: id(61), name: 'web-1' }, { id: id(62), name: 'db-1' });
  tenant.add('technicians', { id: id(71), name: 'Tess', email_id: 'tess@acme.example' });
  tenant.add('requesters', { id: id(72), name: 'Ann', email_id: 'ann@acme.example' });
  tenant.add('categories', { id: '7001', name: 'Hardware' });
  tenant.add('categories/7001/subcategories', { id: '7002', name: 'Printer' });
  for (const name of ['priorities', 'statuses', 'urgencies', 'groups'])
    tenant.add(name, { id: '7100', name });
}

const page = (more: object = {}) => ({ list_info: { row_count: 50, start_index: 1, ...more } });
const criteria = (...search_criteria: object[]) => page({ search_criteria });

export interface Case {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  /** The last request it makes of the vendor. */
  readonly request: string;
  readonly input?: object;
  readonly answer: object;
}

const ofTess = { field: 'technician.email_id', condition: 'is', value: 'tess@acme.example' };
const open = { field: 'status.name', condition: 'is', value: 'Open' };

/** Every tool once, some twice: what it is given, what it must ask of the vendor, what it must answer. */
export const cases: readonly Case[] = [
  {
    tool: 'create_request',
    args: {
      subject: 'No ink',
      description: '<b>none</b>',
      requesterEmail: 'ann@acme.example',
      technicianEmail: { id: id(71) },
      priority: 'High',
      category: { id: '7001' },
      requestType: 'Incident',
      udfFields: { udf_char1: 'x' },
    },
    request: 'POST requests',
    input: {
      request: {
        subject: 'No ink',
        description: '<b>none</b>',
        requester: { email_id: 'ann@acme.example' },
        technician: { id: id(71) },
        priority: { name: 'High' },
        category: { id: '7001' },
        request_type: { name: 'Incident' },
        udf_fields: { udf_char1: 'x' },
      },
    },
    answer: { request: { subject: 'No ink', id: expect.stringMatching(/^\d{19}$/) as string } },
  },
  {
    tool: 'update_request',
    args: { requestId: id(2), status: 'Resolved', resolution: 'Ink', group: null },
    request: `PUT requests/${id(2)}`,
    input: { request: { status: { name: 'Resolved' }, resolution: { content: 'Ink' }, group: null } },
    answer: { request: { id: id(2), status: { name: 'Resolved' } } },
  },
  {
    tool: 'get_request',
    args: { requestId: id(1) },
    request: `GET requests/${id(1)}`,
    answer: { request: { id: id(1), display_id: '101' } },
  },
  {
    tool: 'get_request',
    args: { displayId: 101 },
    request: `GET requests/${id(1)}`,
    answer: { request: { id: id(1), display_id: '101' } },
  },
  {
    tool: 'list_requests',
    args: {
      status: 'Open',
      technicianEmail: 'tess@acme.example',
      sortField: 'subject',
      sortOrder: 'desc',
      totalCount: true,
    },
    request: 'GET requests',
    input: page({
      sort_field: 'subject',
      sort_order: 'desc',
      get_total_count: true,
      search_criteria: [open, { ...ofTess, logical_operator: 'AND' }],
    }),
    answer: { requests: [{ id: id(1) }], totalCount: 1 },
  },
  {
    tool: 'search_requests',
    args: {
      keyword: 'fire',
      criteria: [{ field: 'status.name', condition: 'is not', values: ['Closed', 'Resolved'] }],
    },
    request: 'GET requests',
    input: criteria(
      { field: 'subject', condition: 'contains', value: 'fire' },
      { field: 'status.name', condition: 'is not', values: ['Closed', 'Resolved'], logical_operator: 'AND' },
    ),
    answer: { requests: [{ id: id(1) }] },
  },
  {
    tool: 'list_my_requests',
    args: { status: 'Open' },
    request: 'GET requests',
    input: criteria(ofTess, { ...open, logical_operator: 'AND' }),
    answer: { requests: [{ id: id(1) }] },
  },
  {
    tool: 'close_request',
    args: { requestId: id(3), closureCode: 'Success', closureComments: 'Out', requesterAcknowledged: true },
    request: `PUT requests/${id(3)}/close`,
    input: {
      request: {
        closure_info: {
          requester_ack_resolution: true,
          closure_comments: 'Out',
          closure_code: { name: 'Success' },
        },
      },
    },
    answer: { closed: true, requestId: id(3) },
  },
  {
    tool: 'add_request_note',
    args: { requestId: id(1), description: 'Still warm', showToRequester: true },
    request: `POST requests/${id(1)}/notes`,
    input: { request_note: { description: 'Still warm', show_to_requester: true } },
    answer: { note: { description: 'Still warm' } },
  },
  {
    tool: 'list_request_notes',
    args: { requestId: id(1) },
    request: `GET requests/${id(1)}/notes`,
    input: page(),
    answer: { notes: [{ description: 'Brought water' }, { description: 'Still warm' }] },
  },
  {
    tool: 'delete_request',
    args: { requestId: id(4) },
    request: `DELETE requests/${id(4)}`,
    answer: { deleted: true, requestId: id(4) },
  },
  {
    tool: 'create_problem',
    args: { title: 'Heat', reportedByEmail: 'ann@acme.example', urgency: 'Urgent' },
    request: 'POST problems',
    input: {
      problem: { title: 'Heat', reported_by: { email_id: 'ann@acme.example' }, urgency: { name: 'Urgent' } },
    },
    answer: { problem: { title: 'Heat' } },
  },
  {
    tool: 'update_problem',
    args: { problemId: id(11), status: 'Closed' },
    request: `PUT problems/${id(11)}`,
    input: { problem: { status: { name: 'Closed' } } },
    answer: { problem: { id: id(11) } },
  },
  {
    tool: 'get_problem',
    args: { problemId: id(11) },
    request: `GET problems/${id(11)}`,
    answer: { problem: { id: id(11) } },
  },
  {
    tool: 'list_problems',
    args: { status: 'Closed' },
    request: 'GET problems',
    input: criteria({ ...open, value: 'Closed' }),
    answer: { problems: [{ id: id(11) }] },
  },
  {
    tool: 'search_problems',
    args: { keyword: 'burn', fields: ['title'] },
    request: 'GET problems',
    input: page({
      fields_required: ['title'],
      search_criteria: [{ field: 'title', condition: 'contains', value: 'burn' }],
    }),
    answer: { problems: [{ id: id(11), title: 'Printers burn' }] },
  },
  {
    tool: 'create_change',
    args: {
      title: 'Move',
      stage: 'Submission',
      status: 'Requested',
      changeType: 'Standard',
      ownerEmail: 'tess@acme.example',
      scheduledStart: '2026-11-21T09:30:00',
      scheduledEnd: '2026-11-21T11:30:00+02:00',
      emergency: false,
    },
    request: 'POST changes',
    input: {
      change: {
        title: 'Move',
        stage: { name: 'Submission' },
        status: { name: 'Requested' },
        change_type: { name: 'Standard' },
        change_owner: { email_id: 'tess@acme.example' },
        scheduled_start_time: { value: String(Date.UTC(2026, 10, 21, 9, 30)) },
        scheduled_end_time: { value: String(Date.UTC(2026, 10, 21, 9, 30)) },
        emergency: false,
      },
    },
    answer: { change: { title: 'Move' } },
  },
  {
    tool: 'update_change',
    args: { changeId: id(21), status: 'Approved', comment: 'CAB said so' },
    request: `PUT changes/${id(21)}`,
    input: { change: { status: { name: 'Approved' }, comment: 'CAB said so' } },
    answer: { change: { id: id(21) } },
  },
  {
    tool: 'get_change',
    args: { changeId: id(21) },
    request: `GET changes/${id(21)}`,
    answer: { change: { id: id(21) } },
  },
  {
    tool: 'list_changes',
    args: { stage: 'Approval' },
    request: 'GET changes',
    input: criteria({ field: 'stage.name', condition: 'is', value: 'Approval' }),
    answer: { changes: [{ id: id(21) }] },
  },
  {
    tool: 'search_changes',
    args: { keyword: 'better' },
    request: 'GET changes',
    input: criteria({ field: 'title', condition: 'contains', value: 'better' }),
    answer: { changes: [{ id: id(21) }] },
  },
  {
    tool: 'add_change_note',
    args: { changeId: id(21), description: 'Ordered' },
    request: `POST changes/${id(21)}/notes`,
    input: { note: { description: 'Ordered' } },
    answer: { note: { description: 'Ordered' } },
  },
  {
    tool: 'list_change_approval_levels',
    args: { changeId: id(21) },
    request: `GET changes/${id(21)}/approval_levels`,
    input: page(),
    answer: { approval_levels: [{ id: id(22) }] },
  },
  {
    tool: 'approve_change',
    args: { changeId: id(21), comments: 'Go' },
    request: `PUT changes/${id(21)}/approval_levels/${id(22)}/approvals/${id(24)}/approve`,
    input: { approval: { comments: 'Go' } },
    answer: { approved: true, approval: { id: id(24), status: { name: 'Approved' } } },
  },
  {
    tool: 'create_project',
    args: { title: 'Digital signatures', owner: 'tess@acme.example', type: 'Internal', priority: 'Low' },
    request: 'POST projects',
    input: {
      project: {
        title: 'Digital signatures',
        owner: { email_id: 'tess@acme.example' },
        project_type: { name: 'Internal' },
        priority: { name: 'Low' },
      },
    },
    answer: { project: { title: 'Digital signatures' } },
  },
  {
    tool: 'update_project',
    args: { projectId: id(31), status: 'Closed', scheduledEnd: '1795000000000' },
    request: `PUT projects/${id(31)}`,
    input: { project: { status: { name: 'Closed' }, scheduled_end_time: { value: '1795000000000' } } },
    answer: { project: { id: id(31) } },
  },
  {
    tool: 'get_project',
    args: { projectId: id(31) },
    request: `GET projects/${id(31)}`,
    answer: { project: { id: id(31) } },
  },
  {
    tool: 'list_projects',
    args: { status: 'Closed' },
    request: 'GET projects',
    input: criteria({ ...open, value: 'Closed' }),
    answer: { projects: [{ id: id(31) }] },
  },
  {
    tool: 'search_projects',
    args: { criteria: [{ field: 'title', condition: 'starts with', value: 'Paper' }] },
    request: 'GET projects',
    input: criteria({ field: 'title', condition: 'starts with', value: 'Paper' }),
    answer: { projects: [{ id: id(31) }] },
  },
  {
    tool: 'add_project_task',
    args: { projectId: id(31), title: 'Buy a shredder', owner: 'tess@acme.example' },
    request: `POST projects/${id(31)}/tasks`,
    input: { task: { title: 'Buy a shredder', owner: { email_id: 'tess@acme.example' } } },
    answer: { task: { title: 'Buy a shredder' } },
  },
  {
    tool: 'list_project_tasks',
    args: { projectId: id(31), rowCount: 1 },
    request: `GET projects/${id(31)}/tasks`,
    input: page({ row_count: 1 }),
    answer: { tasks: [{ id: id(32) }], nextPageToken: expect.any(String) as string },
  },
  {
    tool: 'get_asset',
    args: { assetId: id(41) },
    request: `GET assets/${id(41)}`,
    answer: { asset: { name: 'PRN-1' } },
  },
  {
    tool: 'update_asset',
    args: { assetId: id(41), state: 'Disposed', userEmail: null, assetTag: 'T-9', serialNumber: 'S-9' },
    request: `PUT assets/${id(41)}`,
    input: { asset: { state: { name: 'Disposed' }, user: null, asset_tag: 'T-9', serial_number: 'S-9' } },
    answer: { asset: { id: id(41), asset_tag: 'T-9' } },
  },
  {
    tool: 'list_assets',
    args: { product: 'LaserJet' },
    request: 'GET assets',
    input: criteria({ field: 'product.name', condition: 'is', value: 'LaserJet' }),
    answer: { assets: [{ id: id(41) }] },
  },
  {
    tool: 'search_assets',
    args: { keyword: 'PRN' },
    request: 'GET assets',
    input: criteria({ field: 'name', condition: 'contains', value: 'PRN' }),
    answer: { assets: [{ id: id(41) }] },
  },
  {
    tool: 'get_solution',
    args: { solutionId: id(51) },
    request: `GET solutions/${id(51)}`,
    answer: { solution: { id: id(51) } },
  },
  {
    tool: 'list_solutions',
    args: { topic: 'Printers' },
    request: 'GET solutions',
    input: criteria({ field: 'topic.name', condition: 'is', value: 'Printers' }),
    answer: { solutions: [{ id: id(51) }] },
  },
  {
    tool: 'search_solutions',
    args: { keyword: 'put out' },
    request: 'GET solutions',
    input: criteria({ field: 'title', condition: 'contains', value: 'put out' }),
    answer: { solutions: [{ id: id(51) }] },
  },
  {
    tool: 'list_configuration_items',
    args: { ciType: 'ci_computer' },
    request: 'GET cmdb/ci_computer',
    input: page(),
    answer: { configurationItems: [{ name: 'web-1' }, { name: 'db-1' }] },
  },
  {
    tool: 'search_configuration_items',
    args: { ciType: 'ci_computer', keyword: 'db' },
    request: 'GET cmdb/ci_computer',
    input: criteria({ field: 'name', condition: 'contains', value: 'db' }),
    answer: { configurationItems: [{ name: 'db-1' }] },
  },
  {
    tool: 'get_configuration_item',
    args: { ciType: 'ci_computer', configurationItemId: id(61) },
    request: `GET cmdb/ci_computer/${id(61)}`,
    answer: { configurationItem: { name: 'web-1' } },
  },
  {
    tool: 'get_technician',
    args: { technicianId: id(71) },
    request: `GET technicians/${id(71)}`,
    answer: { technician: { name: 'Tess' } },
  },
  {
    tool: 'list_technicians',
    args: { email: 'tess@acme.example' },
    request: 'GET technicians',
    input: criteria({ field: 'email_id', condition: 'is', value: 'tess@acme.example' }),
    answer: { technicians: [{ name: 'Tess' }] },
  },
  {
    tool: 'search_technicians',
    args: { keyword: 'Te' },
    request: 'GET technicians',
    input: criteria({ field: 'name', condition: 'contains', value: 'Te' }),
    answer: { technicians: [{ name: 'Tess' }] },
  },
  {
    tool: 'list_requesters',
    args: {},
    request: 'GET requesters',
    input: page(),
    answer: { requesters: [{ name: 'Ann' }] },
  },
  {
    tool: 'search_requesters',
    args: { keyword: 'Ann' },
    request: 'GET requesters',
    input: criteria({ field: 'name', condition: 'contains', value: 'Ann' }),
    answer: { requesters: [{ name: 'Ann' }] },
  },
  {
    tool: 'get_categories',
    args: {},
    request: 'GET categories',
    input: page(),
    answer: { categories: [{ name: 'Hardware' }] },
  },
  {
    tool: 'get_priorities',
    args: {},
    request: 'GET priorities',
    input: page(),
    answer: { priorities: [{ name: 'priorities' }] },
  },
  {
    tool: 'get_statuses',
    args: {},
    request: 'GET statuses',
    input: page(),
    answer: { statuses: [{ name: 'statuses' }] },
  },
  {
    tool: 'get_subcategories',
    args: { categoryId: '7001' },
    request: 'GET categories/7001/subcategories',
    input: page(),
    answer: { subcategories: [{ name: 'Printer' }] },
  },
  {
    tool: 'get_metadata',
    args: { kind: 'groups' },
    request: 'GET groups',
    input: page(),
    answer: { entries: [{ name: 'groups' }] },
  },
  {
    tool: 'test_connection',
    args: {},
    request: 'GET requests',
    input: page({ row_count: 1 }),
    answer: { connected: true, canReadRequests: true },
  },
];
