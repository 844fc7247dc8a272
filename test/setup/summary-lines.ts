/** What the last lines of a run say, from what has run. */
import pc from 'picocolors';

const SLOWEST = 20;

export interface RanFile {
  readonly path: string;
  readonly project: string;
  readonly seconds: number;
}

export interface RanTest {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly isRetried: boolean;
  /** Its name does not match the filter `-t`. The runner calls such a test skipped as well. */
  readonly isFilteredOut: boolean;
}

export interface Ran {
  /** Those of which at least one test ran. */
  readonly files: readonly RanFile[];
  readonly tests: readonly RanTest[];
  /** Files and set-ups that failed though none of their tests did. */
  readonly broken: number;
  /** One line for each thing that this run cannot test, and why. */
  readonly leftOut: readonly string[];
  /** As given with `-t`. */
  readonly filter: string | undefined;
}

/** There were tests, and the filter has left out all of them: such a run has shown nothing. */
export const matchesNothing = ({ tests, broken, filter }: Ran): boolean =>
  filter !== undefined && broken === 0 && tests.length > 0 && tests.every(({ isFilteredOut }) => isFilteredOut);

const byTime = (a: RanFile, b: RanFile): number => b.seconds - a.seconds;

export const summaryLines = (ran: Ran): readonly string[] => {
  const { files, tests, broken, leftOut, filter } = ran;
  const matching = tests.filter(({ isFilteredOut }) => !isFilteredOut);
  const count = (state: RanTest['state']): string =>
    String(matching.filter((test) => test.state === state).length + (state === 'failed' ? broken : 0));
  const retried = matching.filter(({ isRetried }) => isRetried);
  const skipped = matching.filter(({ state }) => state === 'skipped').map(({ name }) => name);
  // What stands in for a server is named once, not by each test file.
  const named = skipped.filter((name) => !leftOut.some((line) => name.endsWith(line)));
  const filteredOut = tests.length - matching.length;

  const lines = files.length === 0 ? [] : [`\n${pc.bold('Slowest files:')}`];
  for (const { path, project, seconds } of [...files].sort(byTime).slice(0, SLOWEST)) {
    lines.push(`  ${seconds.toFixed(1).padStart(7)} s  ${path} ${pc.dim(project)}`);
  }
  lines.push(retried.length === 0 ? '\nNo test was retried.' : `\n${pc.bold(pc.yellow('RETRIED:'))}`);
  for (const { name } of retried) lines.push(pc.yellow(`  - ${name}`));
  const absent = [
    ...leftOut,
    ...(filteredOut === 0 ? [] : [`tests that the filter leaves out: ${String(filteredOut)}`]),
    ...named.map((name) => `skipped: ${name}`),
  ];
  lines.push(absent.length === 0 ? '\nNothing was left out.' : `\n${pc.bold(pc.yellow('NOT TESTED:'))}`);
  for (const line of absent) lines.push(pc.yellow(`  - ${line}`));
  if (matchesNothing(ran)) lines.push(pc.red(`\nNo test has a name that matches the filter -t ${filter ?? ''}.`));
  lines.push(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return lines;
};
