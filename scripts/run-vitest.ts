/** Runs projects of the test runner, and reads what became of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const ROOT = resolve(import.meta.dirname, '..');

const endGroup = (leader: number | undefined, signal: NodeJS.Signals): void => {
  try {
    if (leader !== undefined) process.kill(-leader, signal);
  } catch {
    // All of it is gone already.
  }
};

export interface TestRun {
  /** Undefined when it ended without one. */
  readonly report: Promise<Report | undefined>;
  /** Cut off, with all that the tests themselves had started. */
  end(signal: NodeJS.Signals): void;
}

export const runVitest = (projects: readonly string[], env: Readonly<Record<string, string>>): TestRun => {
  let end: TestRun['end'] = () => undefined;
  const run = async (): Promise<Report | undefined> => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-test-'));
    const file = join(folder, 'report.json');
    const args = ['run', ...projects.flatMap((project) => ['--project', project])];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args, ...reporters], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      // A group of its own: the runner alone would leave its workers behind, and they their servers.
      detached: true,
      env: { ...process.env, ...env },
    });
    end = (signal) => {
      endGroup(child.pid, signal);
    };
    await once(child, 'close');
    const text = await readFile(file, 'utf8').catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
    return text === undefined ? undefined : (JSON.parse(text) as Report);
  };
  return {
    report: run(),
    end: (signal) => {
      end(signal);
    },
  };
};
