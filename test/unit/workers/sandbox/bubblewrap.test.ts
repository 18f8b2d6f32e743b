import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { sandboxWords, type SandboxOrder } from '../../../../src/workers/sandbox/bubblewrap.ts';
import { openSystemCopies, type SystemCopies } from '../../../../src/workers/sandbox/system-copies.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const temp = useTempFolder();
let copies: SystemCopies;
beforeEach(() => {
  copies = openSystemCopies(temp.path);
});

const order: Omit<SandboxOrder, 'copies'> = {
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

/** The options of `bwrap`, each with its arguments as one text. */
function optionsFor(changed: Partial<SandboxOrder> = {}): string[] {
  const all = sandboxWords({ ...order, copies, ...changed });
  const words = all.slice(0, all.indexOf('--')).map((word) => (word.startsWith('--') ? `\n${word}` : word));
  return words.join(' ').trim().split(/\s*\n/);
}

/** The files for which there is a link to a copy. */
function copiesIn(changed: Partial<SandboxOrder> = {}): string[] {
  const links = optionsFor(changed).filter((option) => option.startsWith('--symlink /etc/.copies/'));
  return links.map((option) => option.split(' ')[2] ?? '');
}

/** What every Debian and every container has; which of them are there and small differs. */
const candidates = ['/etc/nsswitch.conf', '/etc/ld.so.cache', '/etc/host.conf'].filter(
  (file) => existsSync(file) && !lstatSync(file).isSymbolicLink() && statSync(file).size < 1024 ** 2,
);
const [candidate = ''] = candidates;

describe('small files of the system', () => {
  test('are links to copies, which are mounted together and say what the files say', () => {
    expect(candidates).not.toEqual([]);
    const options = optionsFor();
    expect(options).toContain(`--ro-bind ${copies.folder} /etc/.copies`);
    expect(copiesIn()).toEqual(expect.arrayContaining(candidates));
    for (const file of copiesIn()) {
      const name = path.relative('/etc', file);
      expect(options).toContain(`--symlink /etc/.copies/${name} ${file}`);
      expect(options).not.toContain(`--ro-bind-try ${file} ${file}`);
      expect(readFileSync(path.join(copies.folder, name))).toEqual(readFileSync(file));
    }
  });

  test('are mounted where they change under way', () => {
    expect(copiesIn()).not.toContain('/etc/hosts');
    expect(optionsFor()).toContain('--ro-bind-try /etc/hosts /etc/hosts');
  });

  /** bubblewrap would write a link to wherever its place is: on the machine itself, if that is what is mounted there. */
  test.each([
    ['a folder the server may write', { needs: [{ path: '/etc', kind: 'write' as const }] }],
    ['a folder the server may read', { needs: [{ path: '/etc', kind: 'read' as const }] }],
    ['its home', { home: { folder: '/etc', inside: '/etc' } }],
  ])('are not linked in %s', (_, changed) => {
    expect(copiesIn(changed)).toEqual([]);
    expect(optionsFor(changed)).not.toContain(`--ro-bind ${copies.folder} /etc/.copies`);
  });

  test('are mounted when the tenant’s file asks to write them', () => {
    const needs = [{ path: candidate, kind: 'write' as const }];
    expect(copiesIn({ needs })).not.toContain(candidate);
    expect(optionsFor({ needs })).toContain(`--bind-try ${candidate} ${candidate}`);
  });

  test('of which one server alone has asked are mounted for it, and never come to where all look', () => {
    const asked = '/etc/passwd';
    const options = optionsFor({ needs: [{ path: asked, kind: 'read' }] });
    expect(options).toContain(`--ro-bind-try ${asked} ${asked}`);
    expect(existsSync(path.join(copies.folder, 'passwd'))).toBe(false);
  });
});

test('the filter of system calls is the first file it finds open, behind the way out of a room', () => {
  const network = { hosts: '/hosts', resolv: '/resolv', nsswitch: '/nsswitch' };
  expect(optionsFor()).toContain('--seccomp 5');
  expect(optionsFor({ network })).toContain('--seccomp 6');
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
    const plain = optionsFor({ network });
    expect(plain.filter((option) => places.some((place) => option.endsWith(` ${place}`)))).toEqual(inside);
    const needs = [{ path: '/etc/hosts', kind: 'write' as const }];
    const asked = optionsFor({ network, needs });
    expect(asked.indexOf(first)).toBeGreaterThan(asked.indexOf('--bind-try /etc/hosts /etc/hosts'));
    expect(asked.slice(asked.indexOf(first) + 1)).toEqual(expect.arrayContaining(others));
  });

  test('the network is the room’s, and who we are is said anew', () => {
    const options = optionsFor({ network });
    expect(options).not.toContain('--unshare-net');
    expect(options).toEqual(expect.arrayContaining(['--uid 1000', `--gid ${process.getgid?.()}`]));
  });
});
