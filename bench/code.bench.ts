/**
 * What unpacking 20 MB of cached code costs at a start, against a plain `unzip` of it onto the same kind of disk in the same
 * image in the same run: first line of a bot with that code, less first line of one that is as small as can be.
 * `npx tsx bench/code.bench.ts [rounds]`; needs an engine, the bot image, and `unzip` on this machine. Best on an idle machine.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, IMAGE, startSpine, zipOf } from '../test/support/spine.ts';

const ROUNDS = Number(process.argv[2] ?? 10);
const FILES = 400;
const MARK = 'first line';
const MAIN = `console.log('${MARK}'); exports.main = async () => { process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6); await new Promise(() => {}); };`;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** 20 MB that pack to about half, as libraries do. */
const large = Object.fromEntries(
  Array.from({ length: FILES }, (_none, n) => [
    `node_modules/lib${String(n % 20)}/file${String(n)}.js`,
    Buffer.from(randomBytes(12_500).toString('base64') + randomBytes(17_000).toString('hex')),
  ]),
);

const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
const zip = await buffer(zipOf({ 'main.js': MAIN, ...large }));
chmodSync(folder, 0o755);
writeFileSync(join(folder, 'code.zip'), zip);
const unzip = execFileSync('sh', ['-c', 'command -v unzip']).toString().trim();
copyFileSync(unzip, join(folder, 'unzip'));
for (const [, library = ''] of execFileSync('ldd', [unzip])
  .toString()
  .matchAll(/=> (\/\S*libbz2\S*)/g)) {
  copyFileSync(library, join(folder, 'libbz2.so.1.0'));
}

const plainUnzip = async (): Promise<number> => {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: [
      'sh',
      '-c',
      'export LD_LIBRARY_PATH=/archive; begin=$(date +%s%N); /archive/unzip -q /archive/code.zip -d /bot && echo took $(( ($(date +%s%N) - begin) / 1000 ))',
    ],
    HostConfig: { Binds: [`${folder}:/archive:ro`], Tmpfs: { '/bot': 'rw,exec,uid=1000,gid=1000' } },
  });
  await container.start();
  await container.wait();
  const output = (await container.logs({ stdout: true, stderr: true })).toString('utf8');
  await container.remove({ force: true });
  const took = /took (\d+)/.exec(output)?.[1];
  if (took === undefined) throw new Error(output);
  return Number(took) / 1_000;
};

const spine = await startSpine();
const untilFirstLine = async (id: string): Promise<number> => {
  const { containerId } = await spine.reaches(id, 'running');
  const container = docker.getContainer(containerId ?? '');
  for (;;) {
    const raw = await container.logs({ stdout: true, stderr: true, timestamps: true });
    const line = raw
      .toString('utf8')
      .split('\n')
      .find((text) => text.includes(MARK));
    const stamp = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(line ?? '')?.[0];
    if (stamp !== undefined) return Date.parse(stamp) - Date.parse((await container.inspect()).State.StartedAt);
    await sleep(20);
  }
};
const times = { floor: [] as number[], small: [] as number[], large: [] as number[] };
try {
  for (let round = -1; round < ROUNDS; round += 1) {
    const floor = await plainUnzip();
    for (const size of ['small', 'large'] as const) {
      const id = `${size}-${String(round + 1)}`;
      await spine.archives.putCode(
        `test/${id}/1.0.0`,
        zipOf(size === 'small' ? { 'main.js': MAIN } : { 'main.js': MAIN, ...large }),
      );
      await spine.put(id, spine.document(id));
      const took = await untilFirstLine(id);
      // The first round warms up.
      if (round >= 0) times[size].push(took);
      await spine.put(id, spine.document(id, { config: { enabled: false } }));
      await spine.reaches(id, 'stopped');
    }
    if (round >= 0) times.floor.push(floor);
  }
} finally {
  await spine.end();
  rmSync(folder, { recursive: true });
}
const floor = median(times.floor);
const restore = median(times.large) - median(times.small);
console.log(
  `plain unzip of ${String(FILES)} files, ${(zip.length / 1e6).toFixed(1)} MB packed   p50 ${floor.toFixed(0)} ms`,
);
console.log(
  `the same before a bot’s first line        p50 ${restore.toFixed(0)} ms  ${(restore / floor).toFixed(2)} × floor`,
);
