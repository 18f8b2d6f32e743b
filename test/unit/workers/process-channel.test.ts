import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Child } from '../../../src/workers/launch.ts';
import { ProcessChannel } from '../../../src/workers/process-channel.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const maxLine = 1000;
/** Longer than any child may leave its stdin unread. */
const farTooLongMs = 60_000;
/** What is sent in one turn of the event loop has gone out in the next but one. */
const turned = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A stdin that is read only when the test says so. */
function createStdin() {
  const chunks: Buffer[] = [];
  let takeNext: (() => void) | undefined;
  let reads = true;
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      if (reads) done();
      else takeNext = done;
    },
  });
  return {
    stdin,
    chunks,
    read: () => Buffer.concat(chunks).toString(),
    stopReading: () => void (reads = false),
    readOn: () => {
      reads = true;
      takeNext?.();
    },
  };
}

const over = { exitCode: 0, signal: undefined, cause: undefined };

function createChannel(stdin?: Writable, exit: Child['exit'] = Promise.resolve(over)) {
  const clock = createFakeClock();
  const input = { ...createStdin(), ...(stdin && { stdin }) };
  const stdout = new PassThrough();
  const lines: string[] = [];
  const violations: string[] = [];
  const child: Child = {
    pid: undefined,
    group: undefined,
    stdin: input.stdin,
    stdout,
    stderr: new PassThrough(),
    exit,
    lastWords: Promise.resolve(),
    signalGroup: () => undefined,
  };
  const channel = new ProcessChannel(child, clock, maxLine, {
    line: (line) => lines.push(line.toString()),
    violation: (reason) => violations.push(reason),
  });
  return { clock, channel, stdout, lines, violations, ...input };
}
/** More than a pipe's buffer takes at once. */
const much = () => [Buffer.alloc(100_000, 'x'), Buffer.from('\n')];

describe('what the child writes', () => {
  test('comes as lines, and all of it before the channel is drained', async () => {
    const { channel, stdout, lines } = createChannel();
    stdout.write('one\ntw');
    stdout.end('o\r\nthree\n');
    await channel.drained;
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  test('a line too long is a violation', async () => {
    const { channel, stdout, lines, violations } = createChannel();
    stdout.end(`${'x'.repeat(maxLine)}\n${'x'.repeat(maxLine + 1)}\n`);
    await channel.drained;
    expect(lines).toHaveLength(1);
    expect(violations).toEqual([expect.stringContaining(`${maxLine} bytes`)]);
  });

  test('a broken pipe drains the channel, and breaks nothing else', async () => {
    const { channel, stdout, violations } = createChannel();
    stdout.destroy(new Error('EIO'));
    await channel.drained;
    expect(violations).toEqual([]);
  });
});

describe('what is sent', () => {
  test('arrives whole and in order, whatever its size', async () => {
    const sizes = fc.array(fc.constantFrom(1, 10, 1000, 200_000), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { maxLength: 5 }), async (turns) => {
        const { channel, stdin, chunks } = createChannel();
        const sent: Buffer[] = [];
        for (const [turn, turnSizes] of turns.entries()) {
          for (const [at, size] of turnSizes.entries()) {
            const line = [Buffer.from(`${turn}.${at}:`), Buffer.alloc(size, 'x'), Buffer.from('\n')];
            sent.push(...line);
            channel.send(line);
          }
          await turned();
        }
        const finished = new Promise((resolve) => stdin.once('finish', resolve));
        channel.end();
        await finished;
        expect(Buffer.concat(chunks).equals(Buffer.concat(sent))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('in one turn goes out in one write', async () => {
    const { channel, chunks } = createChannel();
    channel.send([Buffer.from('a'), Buffer.from('\n')]);
    channel.send([Buffer.from('b\n')]);
    await turned();
    expect(chunks.map(String)).toEqual(['a\nb\n']);
    channel.send([Buffer.from('c\n')]);
    await turned();
    expect(chunks.map(String)).toEqual(['a\nb\n', 'c\n']);
  });

  test('counts as backlog until the child takes it', async () => {
    const { channel, stopReading, readOn, stdin } = createChannel();
    stopReading();
    expect(channel.backlogBytes).toBe(0);
    channel.send([Buffer.from('12345\n')]);
    expect(channel.backlogBytes).toBe(6);
    await turned();
    expect(channel.backlogBytes).toBe(6);
    channel.send([Buffer.from('789\n')]);
    expect(channel.backlogBytes).toBe(10);
    await turned();
    const finished = new Promise((resolve) => stdin.once('finish', resolve));
    readOn();
    channel.end();
    await finished;
    expect(channel.backlogBytes).toBe(0);
  });

  test('a goodbye does not overtake what was said in the same turn', async () => {
    const { channel, stdin, read } = createChannel();
    const finished = new Promise((resolve) => stdin.once('finish', resolve));
    channel.send([Buffer.from('last words\n')]);
    channel.end();
    await finished;
    expect(read()).toBe('last words\n');
  });

  test('to a child that is gone is lost without a sound', async () => {
    const { channel, stdin, clock, violations } = createChannel();
    const closed = new Promise((resolve) => stdin.once('close', resolve));
    stdin.destroy(new Error('EPIPE'));
    await closed;
    channel.send(much());
    await turned();
    channel.end();
    await turned();
    clock.advance(farTooLongMs);
    expect(violations).toEqual([]);
  });
});

describe('a child that closes a pipe', () => {
  const lives = () => new Promise<never>(() => undefined);

  test.each(['stdin', 'stdout'] as const)('%s, and runs on, must go', async (name) => {
    const { channel, clock, stdin, stdout, violations } = createChannel(undefined, lives());
    if (name === 'stdout') stdout.end();
    else stdin.destroy(new Error('EPIPE'));
    if (name === 'stdout') await channel.drained;
    channel.send([Buffer.from('{}\n')]);
    await turned();
    await turned();
    expect(violations).toEqual([]);
    clock.advance(1000);
    expect(violations).toEqual([`it closed its ${name}, and runs on`]);
  });

  test('and ends, or was told to, has done nothing wrong', async () => {
    let ended: (exit: typeof over) => void = () => undefined;
    const one = createChannel(undefined, new Promise((resolve) => (ended = resolve)));
    one.stdout.end();
    await one.channel.drained;
    ended(over);
    const other = createChannel(undefined, lives());
    other.channel.end();
    other.stdout.end();
    await other.channel.drained;
    await turned();
    for (const { clock, violations } of [one, other]) {
      clock.advance(farTooLongMs);
      expect(violations).toEqual([]);
    }
  });
});

describe('a child that does not read', () => {
  test('must go, and it is said once', async () => {
    const { channel, clock, stopReading, violations } = createChannel();
    stopReading();
    channel.send(much());
    await turned();
    expect(violations).toEqual([]);
    clock.advance(farTooLongMs);
    channel.send(much());
    await turned();
    clock.advance(farTooLongMs);
    expect(violations).toEqual([expect.stringContaining('not read its input')]);
  });

  test('is counted from when it stopped, not from the last line sent', async () => {
    const { channel, clock, stopReading, violations } = createChannel();
    stopReading();
    for (let second = 0; second < farTooLongMs / 1000; second++) {
      channel.send(much());
      await turned();
      clock.advance(1000);
    }
    expect(violations).toHaveLength(1);
  });

  test('and then does may stay, and may stop again later', async () => {
    const { channel, clock, stopReading, readOn, stdin, violations } = createChannel();
    stopReading();
    channel.send(much());
    await turned();
    clock.advance(1000);
    const drained = new Promise((resolve) => stdin.once('drain', resolve));
    readOn();
    await drained;
    clock.advance(farTooLongMs);
    expect(violations).toEqual([]);
    stopReading();
    channel.send(much());
    await turned();
    clock.advance(farTooLongMs);
    expect(violations).toHaveLength(1);
  });

  test('but slowly and steadily may take its time', async () => {
    let take: (() => void) | undefined;
    const stdin = new Writable({ write: (_chunk, _encoding, done) => (take = done) });
    const { channel, clock, violations } = createChannel(stdin);
    for (let second = 0; second < 30; second++) {
      channel.send([Buffer.alloc(20_000, 'x')]);
      await turned();
      clock.advance(1000);
      take?.();
    }
    expect(violations).toEqual([]);
  });

  test('and was told to end has other clocks running', async () => {
    const { channel, clock, stopReading, violations } = createChannel();
    stopReading();
    channel.send(much());
    await turned();
    channel.end();
    await turned();
    clock.advance(farTooLongMs);
    expect(violations).toEqual([]);
  });
});

describe('a child that babbles', () => {
  const babble = Buffer.from('{}\n'.repeat(6000));

  test('is left unheard until its time comes again; nothing is lost', async () => {
    const { clock, stdout, lines } = createChannel(undefined, new Promise(() => undefined));
    stdout.write(babble);
    stdout.write('last\n');
    await turned();
    expect(lines).toHaveLength(6000);
    clock.advance(200);
    await turned();
    expect(lines).toHaveLength(6000);
    clock.advance(1);
    await turned();
    expect(lines.at(-1)).toBe('last');
  });

  test('is heard to its end once it is gone', async () => {
    let end: (exit: Awaited<Child['exit']>) => void = () => undefined;
    const { stdout, lines, channel } = createChannel(undefined, new Promise((resolve) => (end = resolve)));
    stdout.write(babble);
    stdout.end('last\n');
    await turned();
    expect(lines).toHaveLength(6000);
    end(over);
    await channel.drained;
    expect(lines.at(-1)).toBe('last');
  });
});
