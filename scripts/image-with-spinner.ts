/** An image made on whatever engine there is, told with a spinner; its tag alone on the last line. */
import ora from 'ora';
import type Docker from 'dockerode';
import { toDroverError } from '../src/domain/errors.ts';
import type { Progress } from './base-image.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';

export type EnsureImage = (options: { docker: Docker; progress: Progress }) => Promise<string>;

export const imageWithSpinner = async (what: string, ensure: EnsureImage): Promise<void> => {
  const spinner = ora({ text: what, stream: process.stdout }).start();
  try {
    const progress = (step: string, detail = ''): void => void (spinner.text = `${step} ${detail.slice(0, 80)}`);
    const { host } = await ensureEngine(progress);
    const tag = await ensure({ docker: dockerAt(host), progress });
    spinner.succeed(what);
    console.log(tag);
  } catch (thrown) {
    const error = toDroverError(thrown);
    spinner.fail(`${error.message} [${error.code}]`);
    console.error(`  → ${error.remedy}`);
    process.exitCode = 1;
  }
};
