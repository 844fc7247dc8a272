/**
 * `npm test`: everything. Brings up what it needs, runs all tests, and names in its last lines what it could not test
 * and why. `--unit` leaves out what needs an engine or a server.
 */
import { constants } from 'node:os';
import pc from 'picocolors';
import { toDroverError } from '../src/domain/errors.ts';
import { buildDrover } from './build-drover.ts';
import { ensureBotImage } from './build-image.ts';
import { checkCompose } from './check-compose.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';
import { runVitest, type Report, type TestRun } from './run-vitest.ts';
import { createTestServers } from './servers/test-servers.ts';

const leftOut: string[] = [];
const say = (step: string, detail?: string): void => {
  console.log(`${pc.cyan('▸')} ${step}${detail === undefined ? '' : pc.dim(` ${detail.trim().slice(0, 100)}`)}`);
};
const servers = createTestServers(say);
let tests: TestRun | undefined;

/** Environment of the tests, or undefined when there can be no engine here. */
const engineFor = async (): Promise<Record<string, string> | undefined> => {
  try {
    const { host } = await ensureEngine(say);
    const image = await ensureBotImage({ docker: dockerAt(host), progress: say });
    return { DOCKER_HOST: host, TEST_IMAGE: image };
  } catch (thrown) {
    const error = toDroverError(thrown);
    leftOut.push(`integration and fault tests: no Docker Engine or bot image (${error.message}) → ${error.remedy}`);
    return undefined;
  }
};

const run = async (projects: readonly string[], env: Readonly<Record<string, string>>): Promise<Report | undefined> => {
  tests = runVitest(projects, env);
  return tests.report;
};

const runUnit = (): Promise<Report | undefined> => {
  leftOut.push('everything that needs a Docker Engine or a server: only unit tests were asked for');
  return run(['unit'], {});
};

const runAll = async (): Promise<Report | undefined> => {
  const engine = await engineFor();
  await servers.start();
  leftOut.push(...servers.leftOut());
  const compose = await checkCompose(say);
  if (compose !== undefined) leftOut.push(compose);
  await buildDrover();
  const projects = ['unit', 'contract', 'servers', ...(engine === undefined ? [] : ['integration'])];
  return run(projects, { ...servers.env(), ...engine });
};

const tell = (report: Report): number => {
  const skipped = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    // What stands in for a server is said once, not by each test file.
    .filter(({ fullName }) => !leftOut.some((line) => fullName.endsWith(line)));
  leftOut.push(...skipped.map(({ fullName }) => `skipped: ${fullName}`));
  console.log(leftOut.length === 0 ? '\nNothing was left out.' : `\n${pc.bold(pc.yellow('NOT TESTED:'))}`);
  for (const line of leftOut) console.log(pc.yellow(`  - ${line}`));
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending } = report;
  console.log(`\n${String(passed)} passed, ${String(failed)} failed, ${String(pending)} skipped`);
  return failed === 0 && report.numFailedTestSuites === 0 && passed > 0 ? 0 : 1;
};

const main = async (): Promise<number> => {
  try {
    const report = await (process.argv.includes('--unit') ? runUnit() : runAll());
    if (report !== undefined) return tell(report);
    console.error('the test runner ended without a report');
    return 1;
  } finally {
    await servers.stop();
  }
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    tests?.end('SIGTERM');
    void servers.stop().finally(() => {
      tests?.end('SIGKILL');
      process.exit(128 + constants.signals[signal]);
    });
  });
}

process.exitCode = await main();
