/**
 * What keeping a large state costs: 1 GB in 20,000 files is stored for the first time, then nothing changes for two sweeps.
 * Memory is the anonymous memory of all our processes in the container above what they have while nothing happens; CPU time
 * is the container's own count. Floor of the time: `tar -cz` of the same files in the same image in the same run.
 * `[MINIO_ENDPOINT=host:port] npx tsx bench/state.bench.ts [files] [bytes a file]`; needs an engine and the bot image. With an
 * endpoint (and MINIO_ACCESS_KEY, MINIO_SECRET_KEY) the store is that server, as containers reach it, else a volume.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'minio';
import { DELIVERY } from '../src/domain/delivery.ts';
import type { S3Access } from '../src/domain/store-access.ts';
import { createHands, FOLDER_ACCESS } from '../test/support/hand-run.ts';
import { docker, IMAGE } from '../test/support/spine.ts';
import { anonymousOf } from './support/anonymous-memory.ts';

const FILES = Number(process.argv[2] ?? 20_000);
const BYTES = Number(process.argv[3] ?? 50_000);
const MIB = 1024 ** 2;
const QUIET_MS = 130_000;
const VOLUMES = {
  'drover-bench-state': '/state',
  'drover-bench-the0': '/var/the0',
  'drover-bench-archive': '/archive',
};
const FILL = `const fs = require('fs'), c = require('crypto');
for (let n = 0; n < ${String(FILES)}; n += 1) { const dir = '/state/.the0-state/' + (n % 100); fs.mkdirSync(dir, { recursive: true }); fs.writeFileSync(dir + '/' + n + '.json', c.randomBytes(${String(BYTES)})); }`;

const { MINIO_ENDPOINT, MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;

/** Where the container finds its store. */
const accessFiles = async (): Promise<Readonly<Record<string, string>>> => {
  if (MINIO_ENDPOINT === undefined) return FOLDER_ACCESS;
  const [host = '', port = ''] = MINIO_ENDPOINT.split(':');
  const buckets = { state: 'bench-state', logs: 'bench-logs' };
  const keys = { accessKey: MINIO_ACCESS_KEY, secretKey: MINIO_SECRET_KEY };
  const client = new Client({ endPoint: host, port: Number(port), useSSL: false, ...keys });
  for (const bucket of Object.values(buckets))
    if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket);
  const access: S3Access = { kind: 's3', endpoint: MINIO_ENDPOINT, useSsl: false, ...keys, buckets };
  return { [DELIVERY.accessFile]: JSON.stringify(access) };
};

const hands = createHands();
/** Runs a shell command in the bot image with the volumes; milliseconds it took inside. */
const shell = async (command: string): Promise<number> => {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['sh', '-c', `begin=$(date +%s%N); ${command}; echo took $(( ($(date +%s%N) - begin) / 1000000 ))`],
    HostConfig: { Binds: Object.entries(VOLUMES).map(([volume, path]) => `${volume}:${path}`) },
  });
  try {
    await container.start();
    await container.wait();
    const output = (await container.logs({ stdout: true, stderr: true })).toString('utf8');
    const took = /took (\d+)/.exec(output)?.[1];
    if (took === undefined) throw new Error(output);
    return Number(took);
  } finally {
    await container.remove({ force: true });
  }
};

try {
  console.log(`filling ${String(FILES)} files of ${String(BYTES)} bytes`);
  await shell(`node -e "${FILL}"`);
  const floor = await shell('tar -cz -C /state . > /archive/floor.tar.gz; rm /archive/floor.tar.gz');
  const run = await hands.run({
    args: ['daemon', 'sync', '--bot-id', 'bench', '--interval', '60s'],
    volumes: VOLUMES,
    files: await accessFiles(),
  });
  const { container } = run;
  const memory = async (): Promise<number> => {
    const { Processes } = (await container.top({ ps_args: '-eo pid' })) as { Processes: string[][] };
    return Processes.reduce((sum, [pid = '']) => sum + anonymousOf(pid), 0);
  };
  const report = async (): Promise<{ state: { status: string; snapshot?: unknown } } | undefined> => {
    const read = await container.exec({ Cmd: ['cat', '/var/the0/sync-report.json'], AttachStdout: true });
    const stream = await read.start({});
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const begin = text.indexOf('{');
    return begin < 0 ? undefined : (JSON.parse(text.slice(begin)) as never);
  };
  const cpu = async (): Promise<number> =>
    (await container.stats({ stream: false })).cpu_stats.cpu_usage.total_usage / 1e6;

  const begun = performance.now();
  let peak = 0;
  const sampler = setInterval(() => void memory().then((now) => (peak = Math.max(peak, now))), 200);
  while ((await report())?.state.status !== 'synced') await sleep(1_000);
  const took = performance.now() - begun;
  clearInterval(sampler);
  // What moved it is let go after a while.
  await sleep(25_000);
  const idle = await memory();
  const before = [await cpu(), JSON.stringify((await report())?.state.snapshot)] as const;
  const since = performance.now();
  await sleep(QUIET_MS);
  const share = ((await cpu()) - before[0]) / (performance.now() - since);
  const same = JSON.stringify((await report())?.state.snapshot) === before[1];

  const line = (name: string, value: string): void => {
    console.log(`${name.padEnd(44)} ${value}`);
  };
  line('tar -cz of the same', `${floor.toFixed(0)} ms`);
  line('first sync', `${took.toFixed(0)} ms, ${(took / floor).toFixed(2)} × floor`);
  line('idle', `${(idle / MIB).toFixed(1)} MiB anonymous`);
  line('peak of the sync above idle', `${((peak - idle) / MIB).toFixed(1)} MiB anonymous`);
  line('unchanged: CPU', `${(share * 100).toFixed(2)} %`);
  line('unchanged: snapshots', same ? 'none more' : 'MORE THAN BEFORE');
} finally {
  await hands.end();
}
