import { spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { refusedCalls } from '../../../../src/workers/sandbox/refused-calls.ts';
import { type ServerSpec } from '../../../../src/workers/spec.ts';
import { someSpec } from '../some-worker.ts';
import { useLauncher } from '../../../support/use-launcher.ts';

const allowed = 0x7fff0000;
const refused = (errno: number): number => 0x00050000 + errno;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [refused(1), refused(38), refused(97)];

/** What the kernel would do: the few instructions that the filter has, over the call's `seccomp_data`. */
function answerTo(program: Buffer, arch: number, call: number, args: readonly number[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((each, at) => data.writeUInt32LE(each, 16 + at * 8));
  let loaded = 0;
  for (let at = 0; at * 8 < program.length; at++) {
    const [code, value] = [program.readUInt16LE(at * 8), program.readUInt32LE(at * 8 + 4)];
    if (code === 0x06) return value;
    if (code === 0x20) loaded = data.readUInt32LE(value);
    else if (code === 0x54) loaded = (loaded & value) >>> 0;
    else if (code === 0x15) at += program[at * 8 + (loaded === value ? 2 : 3)] ?? 0;
    else throw new Error(`no instruction of the filter's: ${code}`);
  }
  throw new Error('it has no end');
}

const x64 = { arch: 0xc000003e, key: 250, fcntl: 72, socket: 41 };
const x32 = { arch: 0xc000003e, key: 250 + 0x40000000, fcntl: 72 + 0x40000000, socket: 41 + 0x40000000 };
const x86 = { arch: 0x40000003, key: 288, fcntl: 221, socket: 359 };
const arm64 = { arch: 0xc00000b7, key: 219, fcntl: 25, socket: 198 };

describe.each(Object.entries({ x64, x32, x86, arm64 }))('on %s', (_name, { arch, key, fcntl, socket }) => {
  test.each([true, false])('keys and leases are out of reach (the machine’s network: %s)', (hasNetwork) => {
    const program = refusedCalls(hasNetwork);
    expect(answerTo(program, arch, key)).toBe(ENOSYS);
    expect(answerTo(program, arch, fcntl, [3, 1024, 1])).toBe(EPERM);
    // F_DUPFD, F_SETFD, F_SETLK and F_GETLEASE.
    for (const command of [0, 2, 6, 1025]) expect(answerTo(program, arch, fcntl, [3, command])).toBe(allowed);
    expect(answerTo(program, arch, 0)).toBe(allowed);
  });

  test('sockets to the hypervisor are refused where the machine’s network is not the server’s', () => {
    expect(answerTo(refusedCalls(false), arch, socket, [40, 1])).toBe(EAFNOSUPPORT);
    expect(answerTo(refusedCalls(true), arch, socket, [40, 1])).toBe(allowed);
    for (const family of [1, 2, 10, 16])
      expect(answerTo(refusedCalls(false), arch, socket, [family, 1])).toBe(allowed);
  });
});

test('an architecture that is not known is let be', () => {
  expect(answerTo(refusedCalls(false), 0x80000016, 280)).toBe(allowed);
});

const isHere =
  ['x64', 'arm64'].includes(process.arch) &&
  spawnSync('perl', ['-e', '1']).status === 0 &&
  spawnSync('bwrap', ['--unshare-pid', '--ro-bind', '/', '/', 'true']).status === 0;

describe.skipIf(!isHere)('behind the wall', () => {
  const { launch } = useLauncher();
  const [key, socket] = process.arch === 'x64' ? [250, 41] : [219, 198];
  /** Each call, and what came of it; then all that is open. */
  const script = `
    print "keyctl ", syscall(${key}, 0, -3, 0) < 0 ? "refused" : "reached", "\\n";
    print "vsock ", syscall(${socket}, 40, 1, 0) < 0 ? "refused" : "reached", "\\n";
    print "inet ", syscall(${socket}, 2, 1, 0) < 0 ? "refused" : "reached", "\\n";
    open my $file, "<", "/etc/nsswitch.conf" or open $file, "<", "/etc/ld.so.cache";
    print "lease ", fcntl($file, 1024, 1) ? "reached" : "refused", "\\n";
    print "open: ", join(" ", map { readlink($_) // "" } glob("/proc/self/fd/*")), "\\n";
  `;

  test.each<[string, ServerSpec['sandbox']['network']]>([
    ['none', 'none'],
    ['a list', { allow: [{ host: 'localhost', port: 9 }] }],
  ])('a server with network %s is held to it', async (_name, network) => {
    const spec = { ...someSpec(['-e', script]), command: 'perl' };
    const child = await launch({ ...spec, sandbox: { ...spec.sandbox, network } }, { mode: 'required' });
    const said = (await text(child.stdout)).trim().split('\n');
    expect(said).toEqual([
      'keyctl refused',
      'vsock refused',
      'inet reached',
      'lease refused',
      expect.not.stringContaining('.bpf'),
    ]);
  });
});
