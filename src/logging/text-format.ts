const first = new Set(['level', 'time', 'event', 'msg']);

/** One JSON line of the log as a line for people: `10:15:02.123 INFO  Worker is ready  tenant=acme pid=42`. */
export function textLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const time = text(entry['time']).slice(11, 23);
  const level = text(entry['level']).toUpperCase().padEnd(5);
  const fields = Object.entries(entry)
    .filter(([name]) => !first.has(name))
    .map(([name, value]) => `${name}=${quoted(text(value))}`);
  const rest = fields.length > 0 ? `  ${fields.join(' ')}` : '';
  return `${time} ${level} ${text(entry['msg'])}${rest}\n`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
