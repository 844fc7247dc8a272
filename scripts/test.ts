/**
 * `npm test`: everything. Brings up what the tests need, runs them side by side, and names in its last lines what was slow,
 * what was tried again and what could not be tested.
 *
 * - `--unit`: only what needs neither an engine nor a server.
 * - `--changed [commit]`: only the files that a change touches, against HEAD or the given commit.
 * - paths: only these test files; whatever else is given goes to the test runner.
 */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { toDroverError } from '../src/domain/errors.ts';
import { say } from '../test/setup/say.ts';
import { changedFiles, withReaders } from './changed-files.ts';
import { dockerAt } from './docker-at.ts';
import { runningEngine } from './ensure-engine.ts';
import { thisMachine } from './machine.ts';
import { prepareTools } from './prepare-tests.ts';
import { runVitest, type TestRun, type TestRunOptions } from './run-vitest.ts';
import { abandonedRuns, closeRun, openRun, sweepEngine, type RunOfTests } from './test-run.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PROJECTS = ['unit', 'contract', 'servers', 'integration', 'exclusive', 'docs'] as const;
const NEED_ENGINE: readonly string[] = ['integration', 'exclusive', 'docs'];

interface Plan extends TestRunOptions {
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

/** @throws DroverError CONFIG_INVALID */
const planChanged = async (since: string, others: readonly string[]): Promise<Plan> => {
  const changed = await changedFiles(since, ROOT);
  const names = [...changed.present, ...changed.gone];
  say(`changed since ${since}`, names.length === 0 ? 'nothing' : names.join(' '));
  const touched = withReaders(changed, ROOT);
  if (touched === undefined) {
    say('a file is gone, or the set-up of the tests is another one: all tests run');
    return { ...(await planAll()), args: others };
  }
  return {
    projects: PROJECTS,
    command: 'related',
    // The runner wants at least one file, and takes no name for an option that way.
    args: [
      ...(touched.length === 0 ? ['none'] : touched.map((file) => resolve(ROOT, file))),
      '--passWithNoTests',
      ...others,
    ],
    env: {},
    leftOut: [`all that no change since ${since} touches`],
  };
};

/** `--changed`, `--changed main` or `--changed=main`, wherever it stands; undefined when it is not there. */
const changedOf = (
  given: readonly string[],
): { readonly since: string; readonly others: readonly string[] } | undefined => {
  const at = given.findIndex((arg) => arg === '--changed' || arg.startsWith('--changed='));
  const flag = given[at];
  if (flag === undefined) return undefined;
  const next = given[at + 1];
  const takesNext = flag === '--changed' && next !== undefined && !next.startsWith('-');
  const since = takesNext ? next : flag.split('=')[1];
  return {
    since: since ?? 'HEAD',
    others: given.filter((_, index) => index !== at && !(takesNext && index === at + 1)),
  };
};

const planAll = async (): Promise<Plan> => {
  const { engine, missing } = await prepareTools(say);
  const projects = PROJECTS.filter((project) => engine !== undefined || !NEED_ENGINE.includes(project));
  return { projects, args: [], env: engine ?? {}, leftOut: missing };
};

const planFor = (given: readonly string[]): Plan | Promise<Plan> => {
  const [first, ...rest] = given;
  if (first === undefined) return planAll();
  if (first === '--unit') return planUnit(rest);
  const changed = changedOf(given);
  return changed === undefined ? planSome(given) : planChanged(changed.since, changed.others);
};

/**
 * Removes what the tests of a run have left. What cannot be removed is named, and changes nothing about the result. Folders are not
 * named after a run with a name filter: where it leaves out every test of a file, the runner runs no hook of that file, so that what
 * the file started while it was loaded stays, and no test has forgotten it.
 */
const sweep = async (run: RunOfTests, host: string | undefined, hasNameFilter: boolean): Promise<void> => {
  try {
    const onEngine = host === undefined ? {} : await sweepEngine(dockerAt(host), run);
    // Programs that tests start with tsx share its cache there.
    const folders = (await closeRun(run)).filter((name) => !/^tsx-\d+$/.test(name));
    const left: Readonly<Record<string, readonly string[]>> = { ...onEngine, folders: hasNameFilter ? [] : folders };
    for (const [kind, names] of Object.entries(left)) {
      if (names.length > 0) console.log(`Removed ${kind} that tests had left behind: ${names.join(' ')}`);
    }
  } catch (thrown) {
    const { message } = toDroverError(thrown);
    console.log(`What the tests have left behind could not be removed (${run.folder}): ${message}`);
  }
};

const running: TestRun[] = [];
let interrupted: Promise<number> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const code = 128 + constants.signals[signal];
    if (running.length === 0) process.exit(code);
    // The runner ends its workers and its servers; what is left of its group after that is ended too.
    const stopped = Promise.all(running.map((tests) => tests.stop())).then(() => code);
    interrupted ??= stopped;
  });
}

try {
  const { leftOut, ...plan } = await planFor(process.argv.slice(2));
  const run = await openRun();
  const env = {
    ...plan.env,
    TEST_LEFT_OUT: JSON.stringify(leftOut),
    TEST_RUN: run.mark,
    TEST_FOLDER: run.folder,
  };
  const tests = runVitest({ ...plan, env });
  running.push(tests);
  const ended = await tests.exitCode;
  // Whoever is about to be ended makes nothing more after this.
  const code = (await interrupted) ?? ended;
  const usesEngine = plan.projects.some((project) => NEED_ENGINE.includes(project));
  const host = usesEngine ? await runningEngine({ ...thisMachine, env: { ...process.env, ...plan.env } }) : undefined;
  const hasNameFilter = plan.args.some((arg) => /^(-t|--test-?name-?pattern)(=|$)/i.test(arg));
  await sweep(run, host, hasNameFilter);
  // What a run that was killed has left on an engine can only be removed there: else its record stays.
  for (const each of host === undefined ? [] : await abandonedRuns()) {
    if ((each.host ?? host) === host) await sweep(each, host, false);
  }
  process.exitCode = code;
} catch (thrown) {
  const { code, message, remedy } = toDroverError(thrown);
  console.error(`${code}: ${message}\n→ ${remedy}`);
  process.exitCode = 1;
}
