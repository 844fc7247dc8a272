/**
 * What many schedules cost: a thousand slots in one second on a scripted engine, against its own rate; and ten thousand that
 * are armed and wait, in a process of their own. `npx tsx bench/schedule-fleet.bench.ts`; the second part needs an engine.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedStores } from '../src/adapters/embedded/embedded-stores.ts';
import { createLane } from '../src/adapters/docker/lanes.ts';
import { limitStarts } from '../test/support/limited-starts.ts';
import { referenceSchedule } from '../test/support/reference-document.ts';
import { createScheduleFleet } from '../test/support/schedule-fleet.ts';
import { anonymousOf } from './support/anonymous-memory.ts';

const SLOTS = 1_000;
const WIDTH = 4;
/** One call; a real engine takes ten times as long. */
const CALL_MS = 25;
const ARMED = 10_000;
const WATCHED_MS = 65_000;

const rawRate = async (): Promise<number> => {
  const lane = createLane({ name: 'raw', width: WIDTH, deadlineMs: 60_000 });
  const begun = performance.now();
  const one = async (): Promise<void> => {
    await lane(() => sleep(CALL_MS));
    await lane(() => sleep(CALL_MS));
  };
  await Promise.all(Array.from({ length: SLOTS }, one));
  return performance.now() - begun;
};

const storm = async (): Promise<void> => {
  const fleet = await createScheduleFleet({
    startsAt: 0,
    live: true,
    wrap: (engine, role) => (role === 'bot' ? engine : limitStarts(engine, WIDTH, () => sleep(CALL_MS)).engine),
  });
  try {
    const slot = Math.ceil(Date.now() / 1_000) * 1_000 + 15_000;
    const at = new Date(slot);
    const text = `${String(at.getUTCSeconds())} ${String(at.getUTCMinutes())} ${String(at.getUTCHours())} * * *`;
    await Promise.all(Array.from({ length: SLOTS }, (_, n) => fleet.put(`s${String(n)}`, { schedule: text })));
    const floor = await rawRate();
    const { view } = fleet.drover().schedules;
    if (Date.now() > slot) throw new Error('this machine is too slow: put the slot further away');
    while (view.metrics().outcomes.succeeded < SLOTS) await sleep(10);
    const took = Date.now() - slot;
    const { lateness } = view.metrics();
    console.log(
      `${String(SLOTS)} slots in one second, scripted engine  ${(took / 1_000).toFixed(1)} s, the engine alone ${(floor / 1_000).toFixed(1)} s: throughput ${(floor / took).toFixed(2)} × raw (limit 0.9); latest start ${(lateness.maxMs / 1_000).toFixed(1)} s after its slot`,
    );
  } finally {
    await fleet.close();
  }
};

/** Clock ticks of 10 ms that a process has used. */
const cpuMs = (pid: number): number => {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

const idle = async (schedules: number): Promise<{ readonly memory: number; readonly cpu: number }> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-armed-'));
  const stores = await openEmbeddedStores({ dataDir, writer: 'bench', now: Date.now });
  const asked = { requestId: 'bench', actor: 'bench', action: 'apply', at: Date.now() };
  for (let n = 0; n < schedules; n += 1) {
    const schedule = `${String(n % 60)} ${String(n % 24)} 1 1 *`;
    await stores.schedules.put(`s${String(n)}`, referenceSchedule(`s${String(n)}`, { schedule }), asked);
  }
  await stores.close();
  const root = join(import.meta.dirname, '..');
  const own = Object.entries(process.env).filter(([name]) => !/^(MONGO_|NATS_|MINIO_)/.test(name));
  const env = { ...Object.fromEntries(own), DROVER_DATA_DIR: dataDir, HTTP_PORT: '0', LOG_FORMAT: 'json' };
  const child = spawn(process.execPath, [join(root, 'bin/drover.js'), 'up'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let url: string | undefined;
  child.stderr.on('data', (chunk: Buffer) => {
    url ??= /"url":"([^"]+)"/.exec(chunk.toString())?.[1];
  });
  try {
    while (url === undefined) await sleep(100);
    const armed = async (): Promise<number> => {
      const answer = (await (await fetch(`${url ?? ''}/v1/metrics`)).json()) as {
        schedules?: { schedules: { armed: number } };
      };
      return answer.schedules?.schedules.armed ?? 0;
    };
    while ((await armed()) < schedules) await sleep(500);
    await sleep(35_000);
    const pid = child.pid ?? 0;
    const before = cpuMs(pid);
    await sleep(WATCHED_MS);
    return { cpu: (cpuMs(pid) - before) / WATCHED_MS, memory: anonymousOf(String(pid)) };
  } finally {
    child.kill('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  }
};

await storm();
const none = await idle(0);
const many = await idle(ARMED);
const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
console.log(
  `${String(ARMED)} schedules armed: ${mb(many.memory)} MB anonymous, ${mb(many.memory - none.memory)} MB more than none (limit 100); ` +
    `CPU ${(100 * many.cpu).toFixed(2)} % of one core, ${(100 * none.cpu).toFixed(2)} % with none (limit 1 %)`,
);
