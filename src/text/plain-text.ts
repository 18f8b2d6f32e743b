// C0, DEL, C1, the line separators and the direction marks: each can forge or hide a line, or move the cursor.
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** Text from outside (a client's name, a server's last words) made safe for a terminal and for one line of a log. */
export function plainText(text: string): string {
  return text.replace(control, ' ');
}

/** `1 worker`, `3 workers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
