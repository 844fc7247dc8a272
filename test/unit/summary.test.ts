import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { matchesNothing, summaryLines, type Ran, type RanTest } from '../setup/summary-lines.ts';
import { filesLine } from '../setup/summary.ts';

const aTest = (change: Partial<RanTest> = {}): RanTest => ({
  name: 'a bot > starts',
  state: 'passed',
  isRetried: false,
  isFilteredOut: false,
  ...change,
});
const filteredOut = aTest({ name: 'a bot > stops', state: 'skipped', isFilteredOut: true });
const ran = (change: Partial<Ran> = {}): Ran => ({
  files: [{ path: 'test/unit/a.test.ts', project: 'unit', seconds: 1 }],
  tests: [aTest()],
  broken: 0,
  leftOut: [],
  filter: undefined,
  ...change,
});
const textOf = (change: Partial<Ran> = {}): string => stripVTControlCharacters(summaryLines(ran(change)).join('\n'));

describe('the last lines of a run', () => {
  it('say that nothing was left out', () => {
    expect(textOf()).toContain('Nothing was left out.');
    expect(textOf()).toContain('1 passed, 0 failed, 0 skipped');
  });
  it('name each test that was skipped, and each that was retried', () => {
    const tests = [aTest({ state: 'skipped' }), aTest({ name: 'a bot > waits', isRetried: true })];
    expect(textOf({ tests })).toMatch(/RETRIED:\n {2}- a bot > waits/);
    expect(textOf({ tests })).toMatch(/NOT TESTED:\n {2}- skipped: a bot > starts/);
  });
  it('count tests that the filter leaves out in one line, and name those that are skipped', () => {
    const tests = [aTest(), aTest({ name: 'a bot > waits', state: 'skipped' }), filteredOut, filteredOut];
    const text = textOf({ tests, filter: 'bot' });
    expect(text).toMatch(
      /NOT TESTED:\n {2}- tests that the filter leaves out: 2\n {2}- skipped: a bot > waits\n\n1 passed/,
    );
    expect(text).not.toContain('a bot > stops');
    expect(text).toContain('1 passed, 0 failed, 1 skipped');
  });
  it('count a file that could not be loaded as failed', () => {
    expect(textOf({ broken: 1 })).toContain('1 passed, 1 failed, 0 skipped');
  });
});

describe('a filter that matches nothing', () => {
  const nothing = { files: [], tests: [filteredOut], filter: 'R99' };
  it('is named, and the run has failed', () => {
    expect(matchesNothing(ran(nothing))).toBe(true);
    expect(textOf(nothing)).toContain('No test has a name that matches the filter -t R99.');
  });
  it.each<[string, Partial<Ran>]>([
    ['there is no filter', { tests: [aTest({ state: 'skipped' })] }],
    ['one test matches', { ...nothing, tests: [filteredOut, aTest()] }],
    ['the only test that matches is skipped', { ...nothing, tests: [filteredOut, aTest({ state: 'skipped' })] }],
    ['no file was to run', { ...nothing, tests: [] }],
    ['a file could not be loaded', { ...nothing, broken: 1 }],
  ])('is not the cause when %s', (_when, change) => {
    expect(matchesNothing(ran(change))).toBe(false);
    expect(textOf(change)).not.toContain('No test has a name');
  });
});

describe('a run of the test runner', () => {
  const ROOT = resolve(import.meta.dirname, '../..');
  /** With the environment of this run, but not as a part of it. */
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST)(_|$)/.test(name)));
  const run = async (filter: string) => {
    const args = ['run', '--project', 'unit', 'test/unit/code-cache-terms.test.ts', '-t', filter];
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'ignore'] });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>]);
    return { code, output: stripVTControlCharacters(output) };
  };
  it('fails when the filter matches no name', async () => {
    const { code, output } = await run('no such name');
    expect(output).toContain('No test has a name that matches the filter -t no such name.');
    expect(output).not.toContain('skipped: ');
    expect(code).toBe(1);
  });
  it('compares the filter with the names of suites and tests as the runner does', async () => {
    const { code, output } = await run('^the code cache is filled anew');
    expect(output).toContain('test files that run: 1 (unit 1)');
    expect(output).toContain('1 passed, 0 failed, 0 skipped');
    expect(code).toBe(0);
  });
});

it('the first line of a run counts its test files by project', () => {
  expect(filesLine(['unit', 'servers', 'unit'])).toBe('test files that run: 3 (unit 2, servers 1)');
  expect(filesLine([])).toBe('test files that run: 0');
});
