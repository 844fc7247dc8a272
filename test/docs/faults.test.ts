/** docs/reference/faults.md says of each fault whether tests carry its number in their name: here that is checked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/reference/faults.md'), 'utf8');

const numbersIn = (text: string): readonly string[] => [...new Set(text.match(/\bR\d+\b/g))].sort();

/** Of the catalogue: each number has an anchor, or a title that names it. */
const all = numbersIn((PAGE.match(/<a id="r\d+"><\/a>|^### R.*$/gm) ?? []).join(' ').replaceAll('"r', '"R'));
const [, unnamed = ''] = /Ten faults have none: ([^.]*)\./s.exec(PAGE) ?? [];

/** Comments name faults as well: only what is in a text can be the name of a test. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
const code = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('docs/') && !path.startsWith('setup/'))
  .filter((path) => !/unit\/summary\.test\.ts$/.test(path))
  .map((path) => codeOf(readFileSync(join(ROOT, 'test', path), 'utf8')))
  .join('\n');
const named = numbersIn((code.match(/(['"`])(?:(?!\1)[^\n\\]|\\.)*\bR\d+\b/g) ?? []).join(' '));

describe('the fault catalogue', () => {
  it('has the numbers 1 to 52', () => {
    expect(all).toEqual(Array.from({ length: 52 }, (_, at) => `R${String(at + 1)}`).sort());
  });
  it('names the faults whose number is in no test name, and no other', () => {
    expect(numbersIn(unnamed)).toEqual(all.filter((number) => !named.includes(number)));
  });
  it('lists these faults in the table of numbers without a test, except R48', () => {
    const [, table = ''] = PAGE.split('## Numbers without a test of that name');
    const [rows = ''] = table.split('## ');
    const listed = numbersIn((rows.match(/^\| <a id="r\d+"><\/a>R\d+/gm) ?? []).join(' '));
    expect(listed).toEqual(numbersIn(unnamed).filter((number) => number !== 'R48'));
  });
});
