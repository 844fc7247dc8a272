/**
 * What a slot costs on the real engine: from the slot to the call that creates its container, and sixty slots in one second
 * against the same sixty containers made by a bare script. `npx tsx bench/schedule.bench.ts [slots]`; needs the bot image.
 */
import Docker from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOptions } from '../src/adapters/docker/create-options.ts';
import { DELIVERY } from '../src/domain/delivery.ts';
import { putFiles } from '../src/adapters/docker/put-files.ts';
import { decodeScheduleDocument } from '../src/documents/schedule-document.ts';
import { docker, IMAGE, startSpine } from '../test/support/spine.ts';
import { scheduleSpine } from '../test/support/schedule-spine.ts';
import { quantile } from './support/quantile.ts';

const SLOTS = Number(process.argv[2] ?? 30);
const STORM = 60;
const WIDTH = 4;
const CODE = `exports.main = async () => { console.log('ran'); };`;

/** When each container was asked for, by name. */
const created = new Map<string, number>();
const original = Docker.prototype.createContainer as (this: Docker, options: Docker.ContainerCreateOptions) => unknown;
Docker.prototype.createContainer = function (this: Docker, options: Docker.ContainerCreateOptions) {
  created.set(options.name ?? '', Date.now());
  return original.call(this, options);
} as typeof Docker.prototype.createContainer;

const spine = await startSpine();
const schedules = scheduleSpine(spine);
const { view } = spine.drover.schedules;

/** The same containers, by a script that knows nothing: create, deliver, start, wait, remove, so many at once. */
const bare = async (codeDigest: string): Promise<number> => {
  const plan = (n: number) => {
    const id = `bare-${String(n)}`;
    const document = schedules.document(id, { schedule: '@yearly' });
    const decoded = decodeScheduleDocument(id, document, {
      image: IMAGE,
      limits: { memoryMb: 256, cpuShares: 512, pids: 128 },
      stopHookMs: 1_000,
      stopGraceMs: 10_000,
      finalSyncMs: 10_000,
      restartPolicy: 'never',
    });
    if (decoded.kind === 'invalid') throw new Error(decoded.reason);
    const run = { key: 'bare', incarnation: 1, scheduledAt: Date.now(), writes: true, attempt: 0 };
    return { spec: decoded.spec.bot, specHash: '', incarnation: 1, generation: 1, attempt: 1, run };
  };
  const settings = { install: spine.install, network: 'drover-bots', hostGateway: false, configInEnv: false };
  const waiting = Array.from({ length: STORM }, (_, n) => n);
  const ends: Promise<void>[] = [];
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      const one = plan(n);
      const container = await docker.createContainer(createOptions(one, settings, { codeDigest, embedded: true }));
      const files = new Map([
        [DELIVERY.configFile, JSON.stringify(one.spec.config)],
        [DELIVERY.accessFile, JSON.stringify({ kind: 'folder', path: DELIVERY.archiveMount })],
      ]);
      await putFiles(container, { files, mayAct: () => undefined, abortSignal: AbortSignal.timeout(60_000) });
      await container.start();
      ends.push(
        container
          .wait()
          .then(() => container.remove({ v: false }))
          .then(() => undefined),
      );
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
  await Promise.all(ends);
  return performance.now() - begun;
};

try {
  await schedules.deploy('idle', { schedule: '*/2 * * * * *' }, CODE);
  await schedules.ended('idle', 2);
  created.clear();
  while (created.size < SLOTS) await sleep(100);
  await schedules.set('idle', { enabled: false });
  const delays = [...created].flatMap(([name, at]) => {
    const slot = /-(\d{8}T\d{6}Z)$/.exec(name)?.[1];
    if (slot === undefined) return [];
    const [, y = '', mo = '', d = '', h = '', mi = '', s = ''] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(slot) ?? [];
    return [at - Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s))];
  });
  console.log(
    `slot → Docker create call, idle     p50 ${String(quantile(delays, 0.5))} ms  p99 ${String(quantile(delays, 0.99))} ms  (${String(delays.length)} slots; limits 20 and 250)`,
  );

  const [warm] = await docker.listContainers({ all: true, filters: { label: [`drover.install=${spine.install}`] } });
  if (warm !== undefined) await sleep(2_000);
  const digest = (await spine.archives.digestOfCode('test/idle/1.0.0'))?.sha256 ?? '';
  const ours = async (): Promise<number> => {
    const slot = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 6_000);
    const text = `${String(slot.getUTCSeconds())} ${String(slot.getUTCMinutes())} ${String(slot.getUTCHours())} * * *`;
    const before = view.metrics().outcomes.succeeded;
    const cpu = process.cpuUsage();
    for (let n = 0; n < STORM; n += 1) {
      const id = `storm-${String(n)}`;
      await schedules.put(id, schedules.document(id, { schedule: text, filePath: 'test/idle/1.0.0' }));
    }
    while (view.metrics().outcomes.succeeded < before + STORM) await sleep(20);
    const { user, system } = process.cpuUsage(cpu);
    console.error(`cpu of this process: ${((user + system) / 1e6).toFixed(1)} s`);
    return Date.now() - slot.getTime();
  };
  const floorFirst = await bare(digest);
  const took = await ours();
  const floorLast = await bare(digest);
  const floor = (floorFirst + floorLast) / 2;
  console.log(
    `${String(STORM)} slots in one second, real engine   ${(took / 1_000).toFixed(1)} s, a bare script ${(floorFirst / 1_000).toFixed(1)} and ${(floorLast / 1_000).toFixed(1)} s: throughput ${(floor / took).toFixed(2)} × raw (limit 0.9)`,
  );
} finally {
  await spine.end();
}
