/**
 * `npm run docs:measure [commit]`: words, widest line and reading grade of each page of the documentation, as it is now or as
 * it was in a commit. Prose is what is in paragraphs and lists; code, tables and headings are no sentences.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Table from 'cli-table3';
import { flesch } from 'flesch';
import { fleschKincaid } from 'flesch-kincaid';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import { syllable } from 'syllable';

const ROOT = resolve(import.meta.dirname, '../..');
const OURS = /^(README|CONTRIBUTING|CHANGELOG|compose\/README|test\/README|docs\/.+)\.md$/;

interface Measures {
  /** Of the whole page. */
  readonly words: number;
  /** In characters. */
  readonly widestLine: number;
  /** Years of school that the prose needs, after Flesch and Kincaid; undefined for a page without prose. */
  readonly grade: number | undefined;
  /** Flesch's reading ease: 100 is very easy, 60 is plain English, 30 is very hard. */
  readonly ease: number | undefined;
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

const wordsIn = (text: string): readonly string[] =>
  [...words.segment(text)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);

/** The text of each paragraph, in which a piece of code counts as one short word, like the name that it is. */
const paragraphs = (node: Nodes): readonly string[] => {
  if (node.type === 'paragraph') {
    const children = node.children.map((child) =>
      child.type === 'inlineCode' ? { type: 'text' as const, value: 'code' } : child,
    );
    // A line break in the source would be taken for the end of a sentence.
    return [toString({ ...node, children }).replace(/\s+/g, ' ')];
  }
  if (node.type === 'table' || !('children' in node)) return [];
  return node.children.flatMap(paragraphs);
};

const measurePage = (text: string): Measures => {
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const prose = paragraphs(tree);
  const spoken = prose.flatMap(wordsIn);
  const counts = {
    sentence: prose.flatMap((each) => [...sentences.segment(each)].filter(({ segment }) => /\w/.test(segment))).length,
    word: spoken.length,
    syllable: spoken.reduce((sum, word) => sum + Math.max(1, syllable(word)), 0),
  };
  const hasProse = counts.word > 0;
  return {
    words: text.split(/\s+/).filter((word) => word !== '').length,
    widestLine: Math.max(...text.split('\n').map((line) => line.length)),
    grade: hasProse ? fleschKincaid(counts) : undefined,
    ease: hasProse ? flesch(counts) : undefined,
  };
};

const git = (...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 });

const main = (commit: string | undefined): void => {
  const list =
    commit === undefined
      ? git('ls-files', '--cached', '--others', '--exclude-standard')
      : git('ls-tree', '-r', '--name-only', commit);
  const pages = list.split('\n').filter((path) => OURS.test(path));
  const table = new Table({
    head: ['page', 'words', 'widest line', 'grade', 'ease'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const page of pages) {
    const text = commit === undefined ? readFileSync(resolve(ROOT, page), 'utf8') : git('show', `${commit}:${page}`);
    const { words: count, widestLine, grade, ease } = measurePage(text);
    table.push([page, count, widestLine, grade?.toFixed(1) ?? '–', ease?.toFixed(0) ?? '–']);
  }
  console.log(table.toString());
};

main(process.argv[2]);
