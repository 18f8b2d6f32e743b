/** A query that is not sent. The message says what to write instead, and quotes nothing but the query's own words. */
export class QueryRejected extends Error {
  override readonly name = 'QueryRejected';
}
