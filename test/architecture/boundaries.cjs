/**
 * The architecture, as a table: a folder may import the folders on its line, and no others.
 * `values` may be called; `types` may only be named. New folder, new line.
 */
const table = {
  // vocabulary
  time: {},
  yaml: {},
  text: {},
  files: {},
  mcp: {},
  calls: { types: ['mcp'] },
  events: { types: ['calls'] },
  state: { types: ['time'] },
  // concepts
  secrets: { values: ['files', 'yaml'], types: ['time'] },
  auth: { values: ['calls', 'time'], types: ['events', 'yaml'] },
  bridge: { values: ['calls', 'mcp', 'time'] },
  workers: { values: ['calls', 'mcp', 'bridge', 'yaml', 'time', 'secrets', 'state'], types: ['events'] },
  sessions: { values: ['calls', 'mcp', 'time', 'yaml'], types: ['auth', 'events'] },
  tenants: { values: ['calls', 'yaml', 'time', 'auth', 'workers', 'secrets', 'files'], types: ['events'] },
  // listeners
  metrics: { types: ['events'] },
  logging: { values: ['yaml', 'text'], types: ['events'] },
  // path and faces
  gateway: {
    values: ['calls', 'mcp'],
    types: ['auth', 'tenants', 'sessions', 'workers', 'events', 'time'],
  },
  http: { values: ['calls', 'mcp', 'yaml'], types: ['gateway', 'auth', 'sessions', 'events', 'time'] },
  admin: {
    values: ['calls'],
    types: ['auth', 'tenants', 'sessions', 'workers', 'metrics', 'events', 'time', 'yaml'],
  },
  config: {
    values: [
      'yaml',
      'calls',
      'workers',
      'tenants',
      'sessions',
      'logging',
      'http',
      'admin',
      'secrets',
      'files',
    ],
  },
  cli: {
    values: ['config', 'yaml', 'tenants', 'auth', 'calls', 'text', 'secrets', 'files', 'time'],
    types: ['admin', 'events', 'workers'],
  },
};

/** A package that shapes our code is met in one place, so that it can be replaced in one place. */
const owners = {
  execa: ['secrets'],
  yaml: ['yaml'],
  pino: ['logging'],
  commander: ['cli'],
  'p-queue': ['workers', 'servers'],
};

const anyOf = (folders) => (folders.length > 0 ? `^src/(${folders.join('|')})/` : '^$');

const folderRules = Object.entries(table).flatMap(([folder, { values = [], types = [] }]) => [
  {
    name: `${folder}: import not in the table`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: {
      path: '^src/',
      pathNot: [
        `^src/${folder}/`,
        anyOf([...values, ...types]),
        ...(folder === 'cli' ? ['^src/(app|check|version)\\.ts$'] : []),
        ...(['workers', 'admin', 'http'].includes(folder) ? ['^src/version\\.ts$'] : []),
      ],
    },
  },
  {
    name: `${folder}: type-only import used as a value`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: anyOf(types), pathNot: anyOf(values), dependencyTypesNot: ['type-only'] },
  },
]);

const ownerRules = Object.entries(owners).map(([name, folders]) => ({
  name: `${name} belongs to ${folders.join(' and ')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: anyOf(folders) },
  to: { path: `node_modules/${name}/` },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    ...ownerRules,
    {
      name: 'folder not in the table',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: anyOf([...Object.keys(table), 'servers']) },
      to: {},
    },
    // Servers are programs of their own: they must run without the proxy around them.
    {
      name: 'servers stand alone',
      severity: 'error',
      from: { path: '^src/servers/' },
      to: { path: '^src/', pathNot: '^src/servers/' },
    },
    {
      name: 'nobody imports a server',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/servers/' },
      to: { path: '^src/servers/' },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no barrels', severity: 'error', from: {}, to: { path: '^src/.+/index\\.ts$' } },
    {
      name: 'nobody uses this file',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot:
          '^src/(index|cli/main|workers/sandbox/(keeper|intruder|egress/(listeners|relay))|servers/[^/]+/main)\\.ts$',
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
