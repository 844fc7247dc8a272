/**
 * `npm test`: everything. Brings up what it needs, runs all tests, and names in its last lines what it could not test
 * and why. `--unit` leaves out what needs an engine.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pc from 'picocolors';
import { toDroverError } from '../src/domain/errors.ts';
import { buildDrover } from './build-drover.ts';
import { ensureBotImage } from './build-image.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const ROOT = resolve(import.meta.dirname, '..');
const leftOut: string[] = [];
const say = (step: string, detail?: string): void => {
  console.log(`${pc.cyan('▸')} ${step}${detail === undefined ? '' : pc.dim(` ${detail.trim().slice(0, 100)}`)}`);
};

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

const runVitest = async (projects: readonly string[], env: Record<string, string>): Promise<Report | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'));
  const file = join(folder, 'report.json');
  const args = ['run', ...projects.flatMap((project) => ['--project', project])];
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ...args,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  await once(child, 'close');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  return text === undefined ? undefined : (JSON.parse(text) as Report);
};

const main = async (): Promise<number> => {
  const unitOnly = process.argv.includes('--unit');
  const env = unitOnly ? undefined : await engineFor();
  if (unitOnly) leftOut.push('everything that needs a Docker Engine: only unit tests were asked for');
  else await buildDrover();
  const projects = unitOnly ? ['unit'] : ['unit', 'contract', ...(env === undefined ? [] : ['integration'])];
  const report = await runVitest(projects, env ?? {});
  if (report === undefined) {
    console.error('the test runner ended without a report');
    return 1;
  }
  const skipped = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed');
  leftOut.push(...skipped.map(({ fullName }) => `skipped: ${fullName}`));
  console.log(leftOut.length === 0 ? '\nNothing was left out.' : `\n${pc.bold(pc.yellow('NOT TESTED:'))}`);
  for (const line of leftOut) console.log(pc.yellow(`  - ${line}`));
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending } = report;
  console.log(`\n${String(passed)} passed, ${String(failed)} failed, ${String(pending)} skipped`);
  return failed === 0 && report.numFailedTestSuites === 0 && passed > 0 ? 0 : 1;
};

process.exitCode = await main();
