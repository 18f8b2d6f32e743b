import { closeSync, openSync } from 'node:fs';
import { endianness } from 'node:os';
import path from 'node:path';
import { keepFile } from './kept-file.ts';

/**
 * What a sandbox's namespaces do not divide, and a server therefore may not ask the kernel for: keyrings (the proxy's session
 * keyring comes down to every process, and who has it reads and writes its keys), leases on files (they hold up all
 * others who open them), and, without the machine's network, sockets to the hypervisor, which are in no network's namespace.
 */

/** The kernel's numbers of calls on one architecture. */
interface Calls {
  /** As `seccomp_data` names the architecture. */
  readonly arch: number;
  readonly keys: readonly number[];
  readonly fcntl: readonly number[];
  readonly socket: number;
  /** The old call for all that has to do with sockets: its arguments are out of a filter's sight. */
  readonly socketcall?: number;
}

const newer = { keys: [217, 218, 219], fcntl: [25], socket: 198 };
const architectures: readonly Calls[] = [
  // x86-64, and x32 with it.
  { arch: 0xc000003e, keys: [248, 249, 250], fcntl: [72], socket: 41 },
  // 32-bit x86, which runs there too.
  { arch: 0x40000003, keys: [286, 287, 288], fcntl: [55, 221], socket: 359, socketcall: 102 },
  // 64-bit and 32-bit ARM.
  { arch: 0xc00000b7, ...newer },
  { arch: 0x40000028, keys: [309, 310, 311], fcntl: [55, 221], socket: 281, socketcall: 102 },
  // RISC-V.
  { arch: 0xc00000f3, ...newer },
];
const setLease = 1024;
const vsock = 40;
const x32Bit = 0x40000000;
/** EPERM, ENOSYS and EAFNOSUPPORT, as a filter returns them. */
const refused = (errno: number): number => 0x00050000 + errno;
const [notPermitted, notThere, noSuchFamily] = [refused(1), refused(38), refused(97)];
const allowed = 0x7fff0000;

/** Instructions of the classic BPF. */
const load = 0x20;
const and = 0x54;
const jumpIfEqual = 0x15;
const give = 0x06;
/** Places in `seccomp_data`; of an argument its lower half, which is all that these calls look at. */
const low = endianness() === 'LE' ? 0 : 4;
const place = { call: 0, arch: 4, first: 16 + low, second: 24 + low };

type Instruction = readonly [code: number, yes: number, no: number, value: number];

const loaded = (from: number): Instruction => [load, 0, 0, from];
const giving = (value: number): Instruction => [give, 0, 0, value];
/** Runs what follows, `then`, only if what is loaded is `value`. */
const when = (value: number, then: readonly Instruction[]): Instruction[] => [
  [jumpIfEqual, 0, then.length, value],
  ...then,
];

/** The filter's program, as the kernel reads it. `hasNetwork`: the machine's network is the server's too. */
export function refusedCalls(hasNetwork: boolean): Buffer {
  const program = [
    loaded(place.arch),
    ...architectures.flatMap((each) => when(each.arch, refusedOn(each, hasNetwork))),
    giving(allowed),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, yes, no, value]] of program.entries()) {
    bytes.set(new Uint8Array(new Uint16Array([code]).buffer), at * 8);
    bytes.set([yes, no], at * 8 + 2);
    bytes.set(new Uint8Array(new Uint32Array([value]).buffer), at * 8 + 4);
  }
  return bytes;
}

function refusedOn({ keys, fcntl, socket, socketcall }: Calls, hasNetwork: boolean): Instruction[] {
  const argument = (from: number, value: number, answer: number): Instruction[] => [
    loaded(from),
    ...when(value, [giving(answer)]),
    giving(allowed),
  ];
  const network = [
    ...when(socket, argument(place.first, vsock, noSuchFamily)),
    ...(socketcall === undefined ? [] : when(socketcall, [giving(notThere)])),
  ];
  return [
    loaded(place.call),
    [and, 0, 0, ~x32Bit >>> 0],
    ...keys.flatMap((each) => when(each, [giving(notThere)])),
    ...fcntl.flatMap((each) => when(each, argument(place.second, setLease, notPermitted))),
    ...(hasNetwork ? [] : network),
    giving(allowed),
  ];
}

/** The file of the filter, kept in `state`. */
export function filterFor(state: string, hasNetwork: boolean): string {
  const name = hasNetwork ? 'shared' : 'closed';
  return keepFile(path.join(state, 'filters', `${name}.bpf`), programs[name]);
}

const programs = { shared: refusedCalls(true), closed: refusedCalls(false) };

/**
 * Does `start` with the filter open for reading, as a descriptor for what is started there; bubblewrap reads it to its end,
 * so each gets one of its own. Without a filter there is none.
 * @throws {Error} of the system, if it cannot be opened: nobody is started without
 */
export function withFilter<Started>(
  filter: string | undefined,
  start: (descriptors: readonly number[]) => Started,
): Started {
  if (filter === undefined) return start([]);
  const descriptor = openSync(filter, 'r');
  try {
    return start([descriptor]);
  } finally {
    closed(descriptor);
  }
}

/** Of no consequence for what was started. */
function closed(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // There is nothing that could be done about it.
  }
}
