/**
 * Appends numbered lines without end, in chunks that are cut anywhere, and prints the last number whose line is whole.
 * Arguments: path of bot.log, name of this run.
 */
import { openBotLog } from '../../../src/runtime/logs/bot-log.ts';

const [path = '', run = ''] = process.argv.slice(2);
const log = openBotLog(path, { fileBytes: 20_000, files: 10_000 });
let next = 0;
let rest = '';
const step = (): void => {
  for (let turn = 0; turn < 20; turn += 1) {
    while (rest.length < 2_000) {
      rest += `run ${run} line ${String(next)} end\n`;
      next += 1;
    }
    const cut = Math.floor(Math.random() * rest.length);
    log.append(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  const unwritten = rest.split('\n').length - 1;
  process.stdout.write(`${String(next - 1 - unwritten)}\n`);
  setTimeout(step, 5);
};
step();
