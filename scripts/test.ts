/**
 * `npm test`: everything. Brings up what the tests need, runs them side by side, and names in its last lines what was slow,
 * what was tried again and what could not be tested.
 *
 * - `--unit`: only what needs neither an engine nor a server.
 * - `--changed [commit]`: only the files that a change touches, against HEAD or the given commit.
 * - paths: only these test files; whatever else is given goes to the test runner.
 */
import { constants } from 'node:os';
import { say } from '../test/setup/say.ts';
import { prepareTools } from './prepare-tests.ts';
import { runVitest, type TestRun } from './run-vitest.ts';

const PROJECTS = ['unit', 'contract', 'servers', 'integration', 'exclusive'] as const;
const NEED_ENGINE: readonly string[] = ['integration', 'exclusive'];

interface Plan {
  readonly projects: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly leftOut: readonly string[];
}

const planUnit = (args: readonly string[]): Plan => ({
  projects: ['unit'],
  args,
  env: {},
  leftOut: ['everything that needs a Docker Engine or a server: only unit tests were asked for'],
});

/** Each project that is touched brings up what it needs by itself. */
const planSome = (args: readonly string[]): Plan => ({
  projects: PROJECTS,
  args,
  env: {},
  leftOut: [`all that these arguments leave out: ${args.join(' ')}`],
});

const planAll = async (): Promise<Plan> => {
  const { engine, missing } = await prepareTools(say);
  const projects = PROJECTS.filter((project) => engine !== undefined || !NEED_ENGINE.includes(project));
  return { projects, args: [], env: engine ?? {}, leftOut: missing };
};

const running: TestRun[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    const code = 128 + constants.signals[signal];
    if (running.length === 0) process.exit(code);
    // The runner ends its workers and its servers; what is left of its group after that is ended too.
    void Promise.all(running.map((tests) => tests.stop())).then(() => process.exit(code));
  });
}

const [first, ...rest] = process.argv.slice(2);
const plan = first === undefined ? await planAll() : first === '--unit' ? planUnit(rest) : planSome([first, ...rest]);
const { projects, args, env, leftOut } = plan;
const tests = runVitest(projects, args, { ...env, TEST_LEFT_OUT: JSON.stringify(leftOut) });
running.push(tests);
process.exitCode = await tests.exitCode;
