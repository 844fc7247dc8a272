/** Links of the documentation lead somewhere, its lines can be read, and no comment cites what is not in the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandPages, pagesIn, readPage } from '../support/doc-page.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const KINDS = ['docs/tutorials', 'docs/how-to', 'docs/reference', 'docs/explanation'] as const;
const PAGES = pagesIn(ROOT, '.', 'docs', 'docs/adr', 'compose', 'test', ...KINDS);
const isElsewhere = (url: string): boolean => /^[a-z]+:/.test(url);

describe.each(PAGES)('%s', (page) => {
  it('its links and anchors are there', () => {
    const broken = readPage(join(ROOT, page)).links.flatMap(({ url, line }) => {
      if (isElsewhere(url)) return [];
      const [path = '', anchor] = decodeURI(url).split('#');
      const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(target)) return [`${String(line)}: ${url}`];
      if (anchor === undefined || !target.endsWith('.md')) return [];
      return readPage(target).anchors.has(anchor) ? [] : [`${String(line)}: ${url} (no such heading)`];
    });
    expect(broken).toEqual([]);
  });
});

const run = new Set(commandPages(ROOT));
it.each(PAGES.filter((page) => !run.has(page)))('%s: its commands are run by no test, and it says why', (page) => {
  const { steps } = readPage(join(ROOT, page));
  expect(steps.filter(({ kind }) => kind !== 'skipped')).toEqual([]);
});

describe('the pages below docs/', () => {
  const pages = pagesIn(ROOT, ...KINDS);
  it.each(pages)('%s ends with where to go next', (page) => {
    const titles = readFileSync(join(ROOT, page), 'utf8').match(/^## .+$/gm) ?? [];
    expect(titles.at(-1)).toBe('## Where to go next');
  });
  it.each(pages)('%s can be reached from the index', (page) => {
    const index = readPage(join(ROOT, 'docs/index.md')).links.map(({ url }) =>
      resolve(ROOT, 'docs', url.split('#')[0] ?? ''),
    );
    expect(index.map((path) => relative(ROOT, path))).toContain(page);
  });
});

it('README.md is one screenful: at most 150 lines, none over 200 characters', () => {
  const lines = readFileSync(join(ROOT, 'README.md'), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(150);
  expect(lines.filter((line) => line.length > 200)).toEqual([]);
});
