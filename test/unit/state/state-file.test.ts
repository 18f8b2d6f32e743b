import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stateFile } from '../../../src/state/state-file.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const folder = useTempFolder();

function someFile(name = 'eras.json') {
  const clock = createFakeClock();
  return { clock, file: stateFile(folder.file('state'), name, clock) };
}
const written = () => JSON.parse(readFileSync(folder.file('state', 'eras.json'), 'utf8')) as unknown;
const modeOf = (...names: string[]) => (statSync(folder.file(...names)).mode & 0o777).toString(8);

describe('what is written', () => {
  test('is there for the next proxy', () => {
    const { file } = someFile();
    file.write(() => ({ é: [1] }));
    file.flush();
    expect(someFile().file.read()).toEqual({ é: [1] });
  });

  test('is for nobody else to read', () => {
    const { file } = someFile();
    file.write(() => ({}));
    file.flush();
    expect([modeOf('state'), modeOf('state', 'eras.json')]).toEqual(['700', '600']);
  });

  test('is written soon, and of many writes in a row only the last', () => {
    const { file, clock } = someFile();
    let made = 0;
    for (let n = 1; n <= 5; n++)
      file.write(() => {
        made++;
        return { n };
      });
    clock.advance(199);
    expect(made).toBe(0);
    clock.advance(1);
    expect([made, written()]).toEqual([1, { n: 5 }]);
    clock.advance(1000);
    expect(made).toBe(1);
    file.write(() => ({ n: 6 }));
    clock.advance(200);
    expect(written()).toEqual({ n: 6 });
  });

  test('takes the place of the old in one step, and leaves nothing beside it', () => {
    const { file } = someFile();
    for (const n of [1, 2]) {
      file.write(() => ({ n }));
      file.flush();
    }
    expect(readdirSync(folder.file('state'))).toEqual(['eras.json']);
    expect(written()).toEqual({ n: 2 });
  });

  test('and not kept any more is gone, with what was about to be written', () => {
    const { file, clock } = someFile();
    file.write(() => ({ n: 1 }));
    file.flush();
    file.write(() => ({ n: 2 }));
    file.remove();
    clock.advance(1000);
    expect(readdirSync(folder.file('state'))).toEqual([]);
    expect(() => file.remove()).not.toThrow();
    expect(file.read()).toEqual({});
  });
});

describe('there is nothing to remember', () => {
  test('in the beginning, and nothing is made for it', () => {
    expect(someFile().file.read()).toEqual({});
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.each(['', '{"a":', 'null', '7', '[1]', '"text"', '\u0000'])('in a file that holds %j', (text) => {
    mkdirSync(folder.file('state'));
    writeFileSync(folder.file('state', 'eras.json'), text);
    expect(someFile().file.read()).toEqual({});
  });

  test('in a file that is too large, or none', () => {
    mkdirSync(folder.file('state', 'eras.json'), { recursive: true });
    expect(someFile().file.read()).toEqual({});
    writeFileSync(folder.file('state', 'large.json'), '{"a":1}');
    truncateSync(folder.file('state', 'large.json'), 17 * 1024 ** 2);
    expect(someFile('large.json').file.read()).toEqual({});
  });
});

describe('a disk that takes nothing costs the memory, not the service', () => {
  test('if the folder is a file', () => {
    writeFileSync(folder.file('state'), 'in the way');
    const { file, clock } = someFile();
    file.write(() => ({ n: 1 }));
    expect(() => clock.advance(200)).not.toThrow();
    expect(() => file.remove()).not.toThrow();
    expect(file.read()).toEqual({});
    expect(readFileSync(folder.file('state'), 'utf8')).toBe('in the way');
  });

  test('if the file is a folder', () => {
    mkdirSync(folder.file('state', 'eras.json'), { recursive: true });
    const { file, clock } = someFile();
    file.write(() => ({ n: 1 }));
    expect(() => clock.advance(200)).not.toThrow();
    expect(() => file.remove()).not.toThrow();
    expect(readdirSync(folder.file('state'))).toEqual(['eras.json']);
  });

  test.skipIf(process.getuid?.() === 0)('if nothing may be written (not for root, who may)', () => {
    mkdirSync(folder.file('state'));
    chmodSync(folder.file('state'), 0o500);
    const { file, clock } = someFile();
    file.write(() => ({ n: 1 }));
    expect(() => clock.advance(200)).not.toThrow();
    expect(readdirSync(folder.file('state'))).toEqual([]);
  });

  test('if what should be kept is no JSON', () => {
    const { file, clock } = someFile();
    file.write(() => ({ n: 1n }));
    expect(() => clock.advance(200)).not.toThrow();
    expect(file.read()).toEqual({});
  });
});
