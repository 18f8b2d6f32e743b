import { builtProgram } from '../built-program.ts';
import { markName } from '../processes.ts';
import type { Way } from './ways.ts';

/** The descriptor by which the listeners are handed out of the room. */
export const handingFd = 5;

/**
 * The words behind `bwrap` for a room around a sandbox: a network of its own, with nothing in it but listeners where `ways` begin.
 * They are made here, outside of the sandbox, because a server must not have what makes them; and by a program that ends
 * when it has handed them out. A listener stays in the network it was made in, while who holds it accepts in its own.
 *
 * As any user the room is a user namespace in which we are root: only so ports under 1024 are to be had.
 */
export function roomAround(
  variant: 'root' | 'user',
  ways: readonly Way[],
  sandbox: readonly string[],
): string[] {
  const places = ways.map(({ address, port }) => ({ address, port }));
  return [
    ...['--unshare-net', '--die-with-parent', '--dev-bind', '/', '/'],
    ...(variant === 'user' ? rootOfTheRoom : []),
    '--',
    ...['/bin/sh', '-c', script, 'room'],
    ...[process.execPath, builtProgram('egress/listeners'), JSON.stringify(places)],
    ...sandbox,
  ];
}

/** CAP_SETFCAP: without it the kernel lets nobody make a user namespace in this one. */
const rootOfTheRoom = [
  ...['--unshare-user', '--uid', '0', '--gid', '0'],
  ...['--cap-add', 'CAP_NET_BIND_SERVICE', '--cap-add', 'CAP_SETFCAP'],
];

/** Both at once. The listeners' program gets nothing of the server's environment but its mark. */
const script = [
  `/usr/bin/env -i "${markName}=$${markName}" NODE_CHANNEL_FD=${handingFd} NODE_CHANNEL_SERIALIZATION_MODE=json \\`,
  '  "$1" "$2" "$3" >/dev/null 3<&- 4<&- &',
  'shift 3',
  'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE',
  `exec "$@" ${handingFd}<&-`,
].join('\n');
