/** docs/reference/cases.md lists inputs by number: each has a test whose title begins with that number. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/reference/cases.md'), 'utf8');
const listed = [...PAGE.matchAll(/^\| <a id="[a-f]\d+"><\/a>([A-F]\d+) /gm)].map(([, number]) => number ?? '');

const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => readFileSync(join(ROOT, 'test', path), 'utf8'))
  .join('\n');
const titled = new Set(
  [...tests.matchAll(/['"`](?:R\d+, )?(case [A-F]\d+(?:, case [A-F]\d+)*): /g)].flatMap(
    ([, title = '']) => title.match(/[A-F]\d+/g) ?? [],
  ),
);

const range = (letter: string, most: number): string[] =>
  Array.from({ length: most }, (_none, at) => `${letter}${String(at + 1)}`);

describe('inputs that once failed', () => {
  it('are all on the page, except those that belong to later work', () => {
    const all = [...range('A', 8), ...range('B', 4), ...range('D', 12), ...range('E', 22), ...range('F', 12)];
    const later = ['E18', 'F2', 'F3'];
    expect(listed).toEqual(all.filter((number) => !later.includes(number)));
  });
  it.each(listed)('%s has a test of that name', (number) => {
    expect([...titled]).toContain(number);
  });
  it('names no number that the page does not list', () => {
    // Of part C one input is here already: the data folder that depended on where one stood.
    expect([...titled].filter((number) => number !== 'C8' && !listed.includes(number))).toEqual([]);
  });
});
