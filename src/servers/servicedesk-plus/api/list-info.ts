import { ToolFailure } from '../../kit/failure.ts';

/** The most rows the API gives at once; more is an error, not a clamp. */
export const maxRowCount = 100;

export const conditions = [
  'is',
  'is not',
  'contains',
  'not contains',
  'starts with',
  'ends with',
  'greater than',
  'lesser than',
  'greater or equal',
  'lesser or equal',
  'between',
] as const;

/** One thing that must hold of every record that is listed. */
export interface Criterion {
  readonly field: string;
  readonly condition: (typeof conditions)[number];
  readonly value?: unknown;
  readonly values?: readonly unknown[] | undefined;
}

export interface ListRequest {
  readonly rowCount: number;
  /** The first row is 1. */
  readonly startIndex: number;
  readonly sortField?: string | undefined;
  readonly sortOrder?: 'asc' | 'desc' | undefined;
  readonly criteria: readonly Criterion[];
  readonly fields?: readonly string[] | undefined;
  readonly totalCount?: boolean | undefined;
}

/** The `list_info` of a request; without keys that nobody asked for. */
export function listInfo(request: ListRequest): { readonly list_info: object } {
  const { rowCount, startIndex, sortField, sortOrder, criteria, fields, totalCount } = request;
  return {
    list_info: {
      row_count: rowCount,
      start_index: startIndex,
      ...(sortField !== undefined && { sort_field: sortField }),
      ...(sortOrder !== undefined && { sort_order: sortOrder }),
      ...(fields && { fields_required: fields }),
      ...(totalCount && { get_total_count: true }),
      ...(criteria.length > 0 && { search_criteria: criteria.map(searchCriterion) }),
    },
  };
}

function searchCriterion({ field, condition, value, values }: Criterion, at: number): object {
  if ((value === undefined) === (values === undefined)) {
    throw new ToolFailure('INVALID_INPUT', `criteria: ${field} needs either value or values`);
  }
  const wanted = values === undefined ? { value } : { values };
  return { field, condition, ...wanted, ...(at > 0 && { logical_operator: 'AND' }) };
}
