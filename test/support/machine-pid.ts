import { readdirSync, readFileSync } from 'node:fs';

/** What a fixture says of its process: the number it has in its own eyes, and the proxy's mark on it. */
interface Who {
  readonly pid: number;
  readonly worker: string;
}

/** What a fixture answered, with the number the machine knows its process by: inside a sandbox it has another one. */
export function parseAnswer(text: string): unknown {
  const answer = JSON.parse(text) as unknown;
  return isWho(answer) ? { ...answer, pid: machinePid(answer) } : answer;
}

function isWho(answer: unknown): answer is Who {
  return typeof answer === 'object' && answer !== null && 'pid' in answer && 'worker' in answer;
}

function machinePid({ pid, worker }: Who): number {
  const mark = `MCPX_WORKER=${worker}\0`;
  const isIt = (name: string) =>
    read(`/proc/${name}/environ`).includes(mark) &&
    new RegExp(`^NSpid:.*\\s${pid}$`, 'm').test(read(`/proc/${name}/status`));
  const numbers = [String(pid), ...readdirSync('/proc').filter((name) => /^\d+$/.test(name))];
  // It may have ended meanwhile.
  return Number(numbers.find(isIt) ?? pid);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
