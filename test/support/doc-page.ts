/** A page of the documentation as the tests read it: what a reader types, the files he makes, what he will see, and where links lead. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import type { Code, Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';

/** Pages of some folders, as paths below `root`, in alphabetical order. */
export const pagesIn = (root: string, ...folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name))
      .sort(),
  );

interface Placed {
  /** Of the page, from 1. */
  readonly line: number;
}

/** What is done with a fenced block; CONTRIBUTING.md tells how one is marked. */
export type Step = Placed &
  (
    | { readonly kind: 'file'; readonly path: string; readonly text: string }
    | {
        readonly kind: 'run';
        readonly text: string;
        readonly expected: readonly string[];
        readonly isRepeated: boolean;
      }
    | { readonly kind: 'background'; readonly text: string; readonly expected: readonly string[] }
    | { readonly kind: 'end background' }
    | { readonly kind: 'skipped'; readonly text: string; readonly why: string }
  );

export interface Link extends Placed {
  readonly url: string;
}

/** What a page takes for granted: a clone of the repository to work in, or servers at the addresses that the pages name. */
export type Need = 'clone' | 'servers';

export interface DocPage {
  readonly needs: ReadonlySet<Need>;
  readonly steps: readonly Step[];
  readonly links: readonly Link[];
  readonly anchors: ReadonlySet<string>;
}

const SHELL: ReadonlySet<string> = new Set(['sh', 'bash', 'shell', 'console']);

const walk = function* (node: Nodes): Generator<Nodes> {
  yield node;
  if ('children' in node) for (const child of node.children) yield* walk(child);
};

const lineOf = (node: Nodes): number => node.position?.start.line ?? 0;

/**
 * What the test does and readers do not see: commands that stand for something they did elsewhere or did before, or the end of
 * what they end with Ctrl-C (no text).
 */
interface Hidden extends Placed {
  readonly type: 'hidden';
  readonly text?: string;
}

const hiddenIn = (html: string): Pick<Hidden, 'text'> | undefined => {
  if (html === '<!-- test ends what runs in the background -->') return {};
  const text = /^<!-- test runs:\s(.+)-->$/s.exec(html)?.[1];
  return text === undefined ? undefined : { text };
};

const NEEDS: ReadonlySet<string> = new Set<Need>(['clone', 'servers']);
const isNeed = (word: string): word is Need => NEEDS.has(word);

/** @throws Error for a word that is no need */
const needsIn = (html: string): readonly Need[] => {
  const words = /^<!-- needs: (.+) -->$/.exec(html)?.[1]?.split(', ') ?? [];
  return words.map((word) => {
    if (!isNeed(word)) throw new Error(`"${word}" is nothing that the test can provide`);
    return word;
  });
};

/** @throws Error that names the line of a block whose marks mean nothing */
const stepsOf = (blocks: readonly (Code | Hidden)[]): readonly Step[] => {
  const steps: Step[] = [];
  for (const block of blocks) {
    if (block.type === 'hidden') {
      const { line, text } = block;
      steps.push(
        text === undefined
          ? { kind: 'end background', line }
          : { kind: 'run', line, text, expected: [], isRepeated: false },
      );
      continue;
    }
    const { lang, value: text } = block;
    const meta = block.meta ?? '';
    const line = lineOf(block);
    const file = /^file=(\S+)$/.exec(meta)?.[1];
    const why = /^skip="(.+)"$/.exec(meta)?.[1];
    if (file !== undefined) {
      steps.push({ kind: 'file', line, path: file, text: `${text}\n` });
    } else if (meta === 'output') {
      const last = steps.at(-1);
      if (last?.kind !== 'run' && last?.kind !== 'background') {
        throw new Error(`line ${String(line)}: an output without a command before it`);
      }
      const expected = text.split('\n').filter((each) => each.trim() !== '');
      steps[steps.length - 1] = { ...last, expected };
    } else if (lang !== null && lang !== undefined && SHELL.has(lang)) {
      if (why !== undefined) steps.push({ kind: 'skipped', line, text, why });
      else if (meta === 'background') steps.push({ kind: 'background', line, text, expected: [] });
      else if (meta === '' || meta === 'until') {
        steps.push({ kind: 'run', line, text, expected: [], isRepeated: meta === 'until' });
      } else throw new Error(`line ${String(line)}: "${meta}" means nothing`);
    } else if (meta !== '') throw new Error(`line ${String(line)}: "${meta}" means nothing`);
  }
  return steps;
};

/** @throws Error when a block is marked in a way that means nothing */
export const readPage = (path: string): DocPage => {
  const text = readFileSync(path, 'utf8');
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const slugger = new GithubSlugger();
  const links: Link[] = [];
  const anchors = new Set<string>();
  const needs: Need[] = [];
  const blocks: (Code | Hidden)[] = [];
  for (const node of walk(tree)) {
    if (node.type === 'heading') anchors.add(slugger.slug(toString(node)));
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition') {
      links.push({ url: node.url, line: lineOf(node) });
    }
    if (node.type === 'html') {
      for (const [, id = ''] of node.value.matchAll(/<a id="([^"]+)"/g)) anchors.add(id);
      needs.push(...needsIn(node.value));
      const hidden = hiddenIn(node.value);
      if (hidden !== undefined) blocks.push({ type: 'hidden', line: lineOf(node), ...hidden });
    }
    if (node.type === 'code') blocks.push(node);
  }
  return { needs: new Set(needs), steps: stepsOf(blocks), links, anchors };
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `…` stands for anything within a line, and one space for any. */
const patternOf = (line: string): RegExp =>
  new RegExp(
    line
      .trim()
      .split('…')
      .map((part) => part.split(/\s+/).map(escaped).join('\\s+'))
      .join('.*'),
  );

/** The first line of `expected` that the output does not have, in order; undefined when it has them all. */
export const missingLine = (output: string, expected: readonly string[]): string | undefined => {
  const lines = output.split('\n');
  let at = 0;
  for (const line of expected) {
    const pattern = patternOf(line);
    const found = lines.slice(at).findIndex((each) => pattern.test(each));
    if (found === -1) return line;
    at += found + 1;
  }
  return undefined;
};
