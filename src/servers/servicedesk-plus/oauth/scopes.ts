const modules = [
  'requests',
  'problems',
  'changes',
  'projects',
  'assets',
  'cmdb',
  'solutions',
  'setup',
  'users',
] as const;
const operations = ['ALL', 'READ', 'CREATE', 'UPDATE', 'DELETE'] as const;

/** What a token may do; `ALL` holds every operation of its module. */
export type Scope = `SDPOnDemand.${(typeof modules)[number]}.${(typeof operations)[number]}`;

/** Every scope that a tool here may need. */
export const allScopes: ReadonlySet<string> = new Set(
  modules.flatMap((module) => operations.map((operation) => `SDPOnDemand.${module}.${operation}`)),
);

export const scopeShape = /^SDPOnDemand\.[A-Za-z]+\.(ALL|READ|CREATE|UPDATE|DELETE)$/;

/** Scopes as people and Zoho write them: separated by commas or spaces. */
export const readScopes = (text: string): readonly string[] =>
  text.split(/[\s,]+/).filter((scope) => scope !== '');

/** Is one of `needed` among what was granted? The tools that name several are those for which sources name different ones. */
export function holdsOneOf(granted: readonly string[], needed: readonly Scope[]): boolean {
  return needed.some(
    (scope) => granted.includes(scope) || granted.includes(scope.replace(/\.[A-Z]+$/, '.ALL')),
  );
}
