/**
 * The first line of a run: how many test files it has. The last lines: its slowest files, what was tried again, what could not be
 * tested, and the count.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule, TestSpecification, Vitest } from 'vitest/node';
import './provided.ts';
import { say } from './say.ts';
import { matchesNothing, summaryLines, type Ran, type RanFile } from './summary-lines.ts';

/** `NOTE_DURATIONS=1`: the order of the next runs is by the times of this one. */
const DURATIONS = join(import.meta.dirname, 'durations.json');

const inSeconds = (module: TestModule): number => {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return (collectDuration + setupDuration + duration) / 1_000;
};

/** The name that the runner compares with `-t`. */
const nameOf = ({ name, parent }: TestCase): string => {
  const names = [name];
  for (let suite = parent; suite.type === 'suite'; suite = suite.parent) names.unshift(suite.name);
  return names.join(' ');
};

/** How many test files run, and of which projects. */
export const filesLine = (projects: readonly string[]): string => {
  const counts = [...new Set(projects)].map((name) => {
    const ofProject = projects.filter((project) => project === name);
    return `${name} ${String(ofProject.length)}`;
  });
  return `test files that run: ${String(projects.length)}${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`;
};

/** `npm test` that is killed can end nobody any more: then we end our group, workers and servers with it (scripts/run-vitest.ts). */
const endWithParent = (): void => {
  const parent = process.env['TEST_PARENT'];
  if (parent === undefined) return;
  const isOrphan = (): boolean => String(process.ppid) !== parent;
  setInterval(() => {
    if (isOrphan()) process.kill(-process.pid, 'SIGKILL');
  }, 1_000).unref();
};

export class Summary implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
    endWithParent();
  }

  /** Before the set-up, which may take minutes. */
  onTestRunStart(specifications: readonly TestSpecification[]): void {
    say(filesLine(specifications.map(({ project }) => project.name)));
  }

  /** What the set-up could not have here, from each project that ran, and from `npm test` itself. */
  private leftOut(): readonly string[] {
    const before = JSON.parse(process.env['TEST_LEFT_OUT'] ?? '[]') as readonly string[];
    const found = (this.vitest?.projects ?? []).flatMap((project) => project.getProvidedContext().leftOut ?? []);
    return [...new Set([...before, ...found])];
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const root = this.vitest?.config.root ?? '';
    const pattern = this.vitest?.getGlobalTestNamePattern();
    const isFilteredOut = (test: TestCase): boolean => pattern !== undefined && !pattern.test(nameOf(test));
    const files = modules
      .filter(({ children }) => pattern === undefined || [...children.allTests()].some((test) => !isFilteredOut(test)))
      .map((module) => ({
        path: relative(root, module.moduleId),
        project: module.project.name,
        seconds: inSeconds(module),
      }));
    const ran: Ran = {
      files,
      tests: modules.flatMap(({ children }) =>
        [...children.allTests()].map((test) => ({
          name: nameWithNote(test),
          state: test.result().state,
          isRetried: (test.diagnostic()?.retryCount ?? 0) > 0,
          isFilteredOut: isFilteredOut(test),
        })),
      ),
      // A file that could not even be loaded has failed, though none of its tests did.
      broken: modules.filter((module) => module.errors().length > 0).length + errors.length,
      leftOut: this.leftOut(),
      filter: pattern?.source,
    };
    console.log(summaryLines(ran).join('\n'));
    if (matchesNothing(ran)) process.exitCode = 1;
    if (process.env['NOTE_DURATIONS'] === '1') note(files);
  }
}

/** With the reason that it gave when it was skipped while it ran. */
const nameWithNote = (test: TestCase): string => {
  const result = test.result();
  return result.state === 'skipped' && result.note !== undefined ? `${test.fullName}: ${result.note}` : test.fullName;
};

/** What did not run keeps the time that is noted. */
const note = (files: readonly RanFile[]): void => {
  const known = JSON.parse(readFileSync(DURATIONS, 'utf8')) as Record<string, number>;
  const times = new Map(Object.entries(known));
  for (const { path, seconds } of files) times.set(path, Math.round(seconds));
  const slow = [...times].filter(([, seconds]) => seconds >= 2).sort(([, a], [, b]) => b - a);
  writeFileSync(DURATIONS, `${JSON.stringify(Object.fromEntries(slow), null, 2)}\n`);
};
