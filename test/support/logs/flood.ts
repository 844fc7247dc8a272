/** A bot that prints more than anybody can store: 300 MB of lines, one line of 100 MB, bytes that are no text, a last line without an end. */
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openBotLog } from '../../../src/runtime/logs/bot-log.ts';

const MIB = 1024 ** 2;
const CHUNK = 64 * 1024;
const peak = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

const log = openBotLog(process.argv[2] ?? '');
log.append('first\n');
// Let what is only loaded once be loaded before we measure.
const lines = Buffer.alloc(CHUNK, `${'x'.repeat(99)}\n`);
for (let n = 0; n < 16; n += 1) log.append(Buffer.from(lines));
const before = peak();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
for (let sent = 0; sent < 300 * MIB; sent += CHUNK) {
  log.append(Buffer.from(lines));
  await turn();
}
log.append('\n');
const endless = Buffer.alloc(CHUNK, 'y');
for (let sent = 0; sent < 100 * MIB; sent += CHUNK) {
  log.append(Buffer.from(endless));
  await turn();
}
log.append('\n');
for (let sent = 0; sent < MIB; sent += CHUNK) log.append(randomFillSync(Buffer.alloc(CHUNK)));
log.append('\nthe last line, without an end');
process.stdout.write(JSON.stringify({ grown: peak() - before }));
