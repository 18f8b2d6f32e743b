/** How a field of a node is read. `plain`: text, numbers, flags; `node`, `nodes`: tagged with their kind; else one of that kind, untagged. */
type Field = 'plain' | 'node' | 'nodes' | NodeKind;

/** The kinds of node a query may be made of. */
export type NodeKind = keyof typeof fieldsOf;

const expression = { location: 'plain' } as const;

/**
 * All the syntax there is: a kind or a field that is not named here is refused, so what a later PostgreSQL invents is
 * refused too until somebody has looked at it. Left out on purpose: INTO, locking clauses, TABLESAMPLE and XML (they call
 * functions by other ways), SQL/JSON (younger than the servers we support), and everything that is no SELECT.
 */
export const fieldsOf = {
  SelectStmt: {
    ...{ distinctClause: 'nodes', targetList: 'nodes', fromClause: 'nodes', whereClause: 'node' },
    ...{ groupClause: 'nodes', groupDistinct: 'plain', havingClause: 'node', windowClause: 'nodes' },
    ...{ valuesLists: 'nodes', sortClause: 'nodes', limitOffset: 'node', limitCount: 'node' },
    ...{ limitOption: 'plain', withClause: 'WithClause', op: 'plain', all: 'plain' },
    ...{ larg: 'SelectStmt', rarg: 'SelectStmt' },
  },
  WithClause: { ...expression, ctes: 'nodes', recursive: 'plain' },
  CommonTableExpr: {
    ...{
      ...expression,
      ctename: 'plain',
      aliascolnames: 'nodes',
      ctematerialized: 'plain',
      ctequery: 'node',
    },
    ...{ search_clause: 'CTESearchClause', cycle_clause: 'CTECycleClause' },
  },
  CTESearchClause: {
    ...{ ...expression, search_col_list: 'nodes', search_breadth_first: 'plain', search_seq_column: 'plain' },
  },
  CTECycleClause: {
    ...{ ...expression, cycle_col_list: 'nodes', cycle_mark_column: 'plain', cycle_mark_value: 'node' },
    ...{ cycle_mark_default: 'node', cycle_path_column: 'plain' },
  },
  // what stands in FROM
  RangeVar: {
    ...{ ...expression, catalogname: 'plain', schemaname: 'plain', relname: 'plain', inh: 'plain' },
    ...{ relpersistence: 'plain', alias: 'Alias' },
  },
  RangeSubselect: { lateral: 'plain', subquery: 'node', alias: 'Alias' },
  RangeFunction: {
    ...{ lateral: 'plain', ordinality: 'plain', is_rowsfrom: 'plain', functions: 'nodes', alias: 'Alias' },
    coldeflist: 'nodes',
  },
  ColumnDef: {
    ...{ ...expression, colname: 'plain', typeName: 'TypeName', is_local: 'plain' },
    collClause: 'CollateClause',
  },
  JoinExpr: {
    ...{ jointype: 'plain', isNatural: 'plain', larg: 'node', rarg: 'node', usingClause: 'nodes' },
    ...{ join_using_alias: 'Alias', quals: 'node', alias: 'Alias' },
  },
  Alias: { aliasname: 'plain', colnames: 'nodes' },
  // expressions
  ResTarget: { ...expression, name: 'plain', indirection: 'nodes', val: 'node' },
  ColumnRef: { ...expression, fields: 'nodes' },
  ParamRef: { ...expression, number: 'plain' },
  A_Const: {
    ...{ ...expression, ival: 'plain', fval: 'plain', boolval: 'plain', sval: 'plain', bsval: 'plain' },
    isnull: 'plain',
  },
  A_Expr: {
    ...{ ...expression, kind: 'plain', name: 'nodes', lexpr: 'node', rexpr: 'node' },
    ...{ rexpr_list_start: 'plain', rexpr_list_end: 'plain' },
  },
  BoolExpr: { ...expression, boolop: 'plain', args: 'nodes' },
  NullTest: { ...expression, arg: 'node', nulltesttype: 'plain' },
  BooleanTest: { ...expression, arg: 'node', booltesttype: 'plain' },
  CaseExpr: { ...expression, arg: 'node', args: 'nodes', defresult: 'node' },
  CaseWhen: { ...expression, expr: 'node', result: 'node' },
  CoalesceExpr: { ...expression, args: 'nodes' },
  MinMaxExpr: { ...expression, op: 'plain', args: 'nodes' },
  SubLink: { ...expression, subLinkType: 'plain', testexpr: 'node', operName: 'nodes', subselect: 'node' },
  FuncCall: {
    ...{ ...expression, funcname: 'nodes', args: 'nodes', agg_order: 'nodes', agg_filter: 'node' },
    ...{ over: 'WindowDef', agg_within_group: 'plain', agg_star: 'plain', agg_distinct: 'plain' },
    ...{ func_variadic: 'plain', funcformat: 'plain' },
  },
  NamedArgExpr: { ...expression, arg: 'node', name: 'plain', argnumber: 'plain' },
  TypeCast: { ...expression, arg: 'node', typeName: 'TypeName' },
  TypeName: {
    ...{ ...expression, names: 'nodes', typmods: 'nodes', typemod: 'plain', arrayBounds: 'nodes' },
  },
  CollateClause: { ...expression, arg: 'node', collname: 'nodes' },
  A_Indirection: { arg: 'node', indirection: 'nodes' },
  A_Indices: { is_slice: 'plain', lidx: 'node', uidx: 'node' },
  A_Star: {},
  A_ArrayExpr: { ...expression, elements: 'nodes', list_start: 'plain', list_end: 'plain' },
  RowExpr: { ...expression, args: 'nodes', row_format: 'plain', colnames: 'nodes' },
  SortBy: { ...expression, node: 'node', sortby_dir: 'plain', sortby_nulls: 'plain', useOp: 'nodes' },
  WindowDef: {
    ...{ ...expression, name: 'plain', refname: 'plain', partitionClause: 'nodes', orderClause: 'nodes' },
    ...{ frameOptions: 'plain', startOffset: 'node', endOffset: 'node' },
  },
  GroupingSet: { ...expression, kind: 'plain', content: 'nodes' },
  GroupingFunc: { ...expression, args: 'nodes' },
  SQLValueFunction: { ...expression, op: 'plain', typmod: 'plain' },
  List: { items: 'nodes' },
  String: { sval: 'plain' },
  Integer: { ival: 'plain' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;

export function isNodeKind(kind: string): kind is NodeKind {
  return Object.hasOwn(fieldsOf, kind);
}

/** Undefined: the kind has no such field, or none that a query may use. */
export function fieldOf(kind: NodeKind, field: string): Field | undefined {
  const fields: Readonly<Record<string, string>> = fieldsOf[kind];
  return Object.hasOwn(fields, field) ? (fields[field] as Field) : undefined;
}

/** What people call the syntax that is refused most often. */
const names: Readonly<Record<string, string>> = {
  intoClause: 'SELECT … INTO',
  lockingClause: 'FOR UPDATE and FOR SHARE',
  RangeTableSample: 'TABLESAMPLE',
  RangeTableFunc: 'XMLTABLE',
  XmlExpr: 'XML',
  XmlSerialize: 'XML',
};

export function syntaxName(kindOrField: string): string {
  return names[kindOrField] ?? kindOrField.replace(/Stmt$/, '').toUpperCase();
}
