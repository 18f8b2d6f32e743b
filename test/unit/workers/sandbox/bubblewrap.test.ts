import { existsSync, lstatSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bubblewrapCall, type SandboxOrder } from '../../../../src/workers/sandbox/bubblewrap.ts';

const order: SandboxOrder = {
  variant: 'user',
  uid: 1000,
  home: { folder: '/state/homes/of-acme', inside: '/home/tenant' },
  passwd: '/state/passwd/1000',
  cwd: '/srv/app',
  network: 'shared',
  limits: {},
  needs: [],
  hidden: { secret: [], personal: [] },
  command: ['/usr/bin/server'],
};

/** The words between `bwrap` and the gate; each option with its arguments as one text. */
function optionsOf({ args }: { readonly args: readonly string[] }): string[] {
  const words = args.slice(0, args.indexOf('--')).map((word) => (word.startsWith('--') ? `\n${word}` : word));
  return words.join(' ').trim().split(/\s*\n/);
}

const copiesOf = (changed: Partial<SandboxOrder>) => bubblewrapCall({ ...order, ...changed }).files;

/** What every Debian and every container has; which of them are there and small differs. */
const candidates = ['/etc/nsswitch.conf', '/etc/ld.so.cache', '/etc/host.conf'].filter(
  (file) => existsSync(file) && !lstatSync(file).isSymbolicLink() && statSync(file).size < 1024 ** 2,
);

describe('small files of the system', () => {
  test('are copied: each from a descriptor of its own, in the order they are handed over, for all to read', () => {
    const call = bubblewrapCall(order);
    expect(candidates).not.toEqual([]);
    expect(call.files).toEqual(expect.arrayContaining(candidates));
    const options = optionsOf(call);
    for (const [at, file] of call.files.entries()) {
      const found = options.indexOf(`--file ${5 + at} ${file}`);
      expect(options[found - 1]).toBe('--perms 0444');
      expect(options).not.toContain(`--ro-bind-try ${file} ${file}`);
    }
  });

  test('are mounted where they change under way', () => {
    const options = optionsOf(bubblewrapCall(order));
    expect(copiesOf({})).not.toContain('/etc/hosts');
    expect(options).toContain('--ro-bind-try /etc/hosts /etc/hosts');
  });

  /** bubblewrap writes a copy to wherever its place is: on the machine itself, if that is what is mounted there. */
  test.each([
    ['a folder the server may write', { needs: [{ path: '/etc', kind: 'write' as const }] }],
    ['a folder the server may read', { needs: [{ path: '/etc', kind: 'read' as const }] }],
    ['its home', { home: { folder: '/etc', inside: '/etc' } }],
  ])('are not copied into %s', (_, changed) => {
    expect(copiesOf(changed)).toEqual([]);
  });

  test('are mounted when the tenant’s file asks for them by name', () => {
    const [file = ''] = candidates;
    expect(copiesOf({ needs: [{ path: file, kind: 'write' }] })).not.toContain(file);
    const options = optionsOf(bubblewrapCall({ ...order, needs: [{ path: file, kind: 'write' }] }));
    expect(options).toContain(`--bind-try ${file} ${file}`);
  });

  test('that not everybody may read, and large ones, are never copied', () => {
    for (const file of copiesOf({})) {
      const { mode, size } = statSync(file);
      expect(mode & 0o004).not.toBe(0);
      expect(size).toBeLessThanOrEqual(1024 ** 2);
    }
  });
});

describe('in a room of its own', () => {
  const network = {
    hosts: '/state/names/hosts',
    resolv: '/state/names/resolv',
    nsswitch: '/state/names/nsswitch',
  };
  const inside = [
    '--ro-bind /state/names/hosts /etc/hosts',
    '--ro-bind /state/names/resolv /etc/resolv.conf',
    '--ro-bind /state/names/nsswitch /etc/nsswitch.conf',
  ];

  test('names are looked up in files of ours alone, also where the machine’s are asked for', () => {
    const [first = '', ...others] = inside;
    const places = inside.map((option) => option.split(' ').at(-1));
    const plain = optionsOf(bubblewrapCall({ ...order, network }));
    expect(plain.filter((option) => places.some((place) => option.endsWith(` ${place}`)))).toEqual(inside);
    const needs = [{ path: '/etc/hosts', kind: 'write' as const }];
    const asked = optionsOf(bubblewrapCall({ ...order, network, needs }));
    expect(asked.indexOf(first)).toBeGreaterThan(asked.indexOf('--bind-try /etc/hosts /etc/hosts'));
    expect(asked.slice(asked.indexOf(first) + 1)).toEqual(expect.arrayContaining(others));
  });

  test('the network is the room’s, who we are is said anew, and copies leave a descriptor for the listeners', () => {
    const call = bubblewrapCall({ ...order, network });
    const options = optionsOf(call);
    expect(options).not.toContain('--unshare-net');
    expect(options).toEqual(expect.arrayContaining(['--uid 1000', `--gid ${process.getgid?.()}`]));
    for (const [at, file] of call.files.entries()) expect(options).toContain(`--file ${6 + at} ${file}`);
  });
});
