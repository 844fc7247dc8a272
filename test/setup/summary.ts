/** The last lines of a run: its slowest files, what was tried again, what could not be tested, and the count. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import pc from 'picocolors';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';
import './provided.ts';

const SLOWEST = 20;

/** `NOTE_DURATIONS=1`: the order of the next runs is by the times of this one. */
const DURATIONS = join(import.meta.dirname, 'durations.json');

interface FileTime {
  readonly path: string;
  readonly project: string;
  readonly seconds: number;
}

const inSeconds = (module: TestModule): number => {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return (collectDuration + setupDuration + duration) / 1_000;
};

const byTime = (a: FileTime, b: FileTime): number => b.seconds - a.seconds;

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

  /** What the set-up could not have here, from each project that ran, and from `npm test` itself. */
  private leftOut(): readonly string[] {
    const before = JSON.parse(process.env['TEST_LEFT_OUT'] ?? '[]') as readonly string[];
    const found = (this.vitest?.projects ?? []).flatMap((project) => project.getProvidedContext().leftOut ?? []);
    return [...new Set([...before, ...found])];
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const root = this.vitest?.config.root ?? '';
    const files = modules.map((module) => ({
      path: relative(root, module.moduleId),
      project: module.project.name,
      seconds: inSeconds(module),
    }));
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    const count = (state: string): number => states.filter((each) => each === state).length;
    // A file that could not even be loaded has failed, though none of its tests did.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const retried = tests.filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0);
    const leftOut = this.leftOut();
    const skipped = tests.filter((test) => test.result().state === 'skipped').map((test) => test.fullName);
    // What stands in for a server is named once, not by each test file.
    const named = skipped.filter((name) => !leftOut.some((line) => name.endsWith(line)));

    const lines = [`\n${pc.bold('Slowest files:')}`];
    for (const { path, project, seconds } of files.sort(byTime).slice(0, SLOWEST)) {
      lines.push(`  ${seconds.toFixed(1).padStart(7)} s  ${path} ${pc.dim(project)}`);
    }
    lines.push(retried.length === 0 ? '\nNo test was retried.' : `\n${pc.bold(pc.yellow('RETRIED:'))}`);
    for (const test of retried) lines.push(pc.yellow(`  - ${test.fullName}`));
    const absent = [...leftOut, ...named.map((name) => `skipped: ${name}`)];
    lines.push(absent.length === 0 ? '\nNothing was left out.' : `\n${pc.bold(pc.yellow('NOT TESTED:'))}`);
    for (const line of absent) lines.push(pc.yellow(`  - ${line}`));
    const [passed, failed, pending] = [count('passed'), count('failed') + broken, count('skipped')];
    lines.push(`\n${String(passed)} passed, ${String(failed)} failed, ${String(pending)} skipped`);
    console.log(lines.join('\n'));
    if (process.env['NOTE_DURATIONS'] === '1') note(files);
  }
}

/** What did not run keeps the time that is noted. */
const note = (files: readonly FileTime[]): void => {
  const known = JSON.parse(readFileSync(DURATIONS, 'utf8')) as Record<string, number>;
  const times = new Map(Object.entries(known));
  for (const { path, seconds } of files) times.set(path, Math.round(seconds));
  const slow = [...times].filter(([, seconds]) => seconds >= 2).sort(([, a], [, b]) => b - a);
  writeFileSync(DURATIONS, `${JSON.stringify(Object.fromEntries(slow), null, 2)}\n`);
};
