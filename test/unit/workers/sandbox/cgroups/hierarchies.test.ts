import { expect, test } from 'vitest';
import { parseHierarchies } from '../../../../../src/workers/sandbox/cgroups/hierarchies.ts';

const mount = (root: string, at: string, type: string, options: string): string =>
  `30 24 0:26 ${root} ${at} rw,nosuid shared:9 - ${type} ${type} ${options}\n`;

const v1 = [
  mount('/', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory'),
  mount('/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct'),
  mount('/', '/sys/fs/cgroup/freezer', 'cgroup', 'rw,freezer'),
  mount('/', '/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,name=systemd'),
].join('');

test('v1: those that have a controller of ours, and where we are in them', () => {
  const own =
    '4:memory:/a/b\n3:freezer:/\n2:cpu,cpuacct:/system.slice/proxy.service\n1:name=systemd:/\n0::/\n';
  expect(parseHierarchies(v1, own)).toEqual([
    { version: 1, controllers: ['memory'], base: '/sys/fs/cgroup/memory/a/b', isContainer: false },
    {
      version: 1,
      controllers: ['cpu', 'cpuacct'],
      base: '/sys/fs/cgroup/cpu,cpuacct/system.slice/proxy.service',
      isContainer: false,
    },
  ]);
});

test('v2: the one there is; from the leaf of an earlier run, what is above it', () => {
  const mounts = mount('/', '/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate');
  const base = '/sys/fs/cgroup/system.slice/proxy.service';
  for (const place of ['', '/mcp-tenant-proxy'])
    expect(parseHierarchies(mounts, `0::/system.slice/proxy.service${place}\n`)).toEqual([
      { version: 2, controllers: [], base, isContainer: false },
    ]);
});

test('in a container the cgroup that is mounted is our own, with a namespace and without', () => {
  const there = [{ version: 2, controllers: [], base: '/sys/fs/cgroup', isContainer: true }];
  expect(parseHierarchies(mount('/', '/sys/fs/cgroup', 'cgroup2', 'rw'), '0::/\n')).toEqual(there);
  const bound = mount('/docker/c1', '/sys/fs/cgroup', 'cgroup2', 'rw');
  expect(parseHierarchies(bound, '0::/docker/c1\n')).toEqual(there);
});

test('what is mounted twice counts once; a blank in its place is understood; where we are not is not used', () => {
  const twice = mount('/', '/sys/fs/cgroup', 'cgroup2', 'rw') + mount('/', '/mnt', 'cgroup2', 'rw');
  expect(parseHierarchies(twice, '0::/x\n').map(({ base }) => base)).toEqual(['/sys/fs/cgroup/x']);
  const blank = mount('/', '/my\\040groups', 'cgroup2', 'rw');
  expect(parseHierarchies(blank, '0::/x\n').map(({ base }) => base)).toEqual(['/my groups/x']);
  expect(parseHierarchies(mount('/other', '/sys/fs/cgroup', 'cgroup2', 'rw'), '0::/x\n')).toEqual([]);
  expect(parseHierarchies(twice, '0::/../x\n')).toEqual([]);
  // The machine's, which a container has been given beside a namespace of its own.
  const above = mount('/../..', '/sys/fs/cgroup', 'cgroup2', 'rw');
  expect(parseHierarchies(above, '0::/\n')).toEqual([]);
  const beside = above + mount('/', '/mnt', 'cgroup2', 'rw');
  expect(parseHierarchies(beside, '0::/\n').map(({ base }) => base)).toEqual(['/mnt']);
  expect(parseHierarchies('', '')).toEqual([]);
});
