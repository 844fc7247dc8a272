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
import { docker, IMAGE, startSpine, zipOf } from '../test/support/spine.ts';
import { MARKING_BOT, untilFirstLine } from './support/first-line.ts';

const ROUNDS = Number(process.argv[2] ?? 10);
const FILES = 400;

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
const zip = await buffer(zipOf({ 'main.js': MARKING_BOT, ...large }));
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
const times = { floor: [] as number[], small: [] as number[], large: [] as number[] };
try {
  for (let round = -1; round < ROUNDS; round += 1) {
    const floor = await plainUnzip();
    for (const size of ['small', 'large'] as const) {
      const id = `${size}-${String(round + 1)}`;
      await spine.archives.putCode(
        `test/${id}/1.0.0`,
        zipOf(size === 'small' ? { 'main.js': MARKING_BOT } : { 'main.js': MARKING_BOT, ...large }),
      );
      await spine.put(id, spine.document(id));
      const { containerId } = await spine.reaches(id, 'running');
      const took = await untilFirstLine(docker.getContainer(containerId ?? ''));
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
