/** `npm run image` */
import ora from 'ora';
import { toDroverError } from '../src/domain/errors.ts';
import { ensureBotImage } from './build-image.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';

const spinner = ora({ text: 'bot image', stream: process.stdout }).start();
try {
  const progress = (step: string, detail = ''): void => void (spinner.text = `${step} ${detail.slice(0, 80)}`);
  const { host } = await ensureEngine(progress);
  const tag = await ensureBotImage({ docker: dockerAt(host), progress });
  spinner.succeed('bot image');
  console.log(tag);
} catch (thrown) {
  const error = toDroverError(thrown);
  spinner.fail(`${error.message} [${error.code}]`);
  console.error(`  → ${error.remedy}`);
  process.exitCode = 1;
}
