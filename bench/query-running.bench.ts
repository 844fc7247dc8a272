/**
 * What a query to a running bot costs on its way through drover: at 200 requests a second against asking the bot directly, at
 * saturation against a bare undici pass-through, each in a process of its own and in turns in the same run; and the memory that a
 * reply of 100 MB takes. `npx tsx bench/query-running.bench.ts [seconds a round]`; needs an engine and the bot image.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { startChild } from './support/child.ts';
import { quantile } from './support/quantile.ts';

const SECONDS = Number(process.argv[2] ?? 5);
const RATE = 200;
const ROUNDS = 3;

interface Target {
  readonly pool: Pool;
  readonly path: string;
}
const open = (origin: string, path: string): Target => ({ pool: new Pool(origin, { connections: 64 }), path });

const ask = async ({ pool, path }: Target): Promise<number> => {
  const begun = performance.now();
  const { statusCode, body } = await pool.request({ path, method: 'POST' });
  await body.dump();
  if (statusCode !== 200) throw new Error(`status ${String(statusCode)}`);
  return performance.now() - begun;
};

/** Latencies at an even rate, ms. */
const paced = async (target: Target): Promise<number[]> => {
  const asked: Promise<number>[] = [];
  const begun = performance.now();
  for (let at = 0; at < RATE * SECONDS; at += 1) {
    const wait = begun + (at * 1_000) / RATE - performance.now();
    if (wait > 0) await sleep(wait);
    asked.push(ask(target));
  }
  return Promise.all(asked);
};

/** Requests a second with 32 always under way. */
const saturated = async (target: Target): Promise<number> => {
  let count = 0;
  const until = performance.now() + SECONDS * 1_000;
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      await ask(target);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: 32 }, lane));
  return count / SECONDS;
};

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const drover = await startChild<{ url: string; address: string; pid: number }>('query-child.ts', ['drover', '200']);
const { url, address, pid } = drover.said;
const bare = await startChild<{ url: string }>('query-child.ts', ['bare', address]);
try {
  const direct = open(address, '/x');
  const through = open(bare.said.url, '/x');
  const ours = open(url, '/v1/bots/bench/query/x');
  for (const target of [direct, through, ours]) for (let warm = 0; warm < 2_000; warm += 1) await ask(target);
  const latency = { direct: [] as number[], bare: [] as number[], ours: [] as number[] };
  const rate = { bare: [] as number[], ours: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    latency.direct.push(...(await paced(direct)));
    latency.bare.push(...(await paced(through)));
    latency.ours.push(...(await paced(ours)));
    rate.bare.push(await saturated(through));
    rate.ours.push(await saturated(ours));
  }
  const row = (name: string, values: readonly number[]): string =>
    `${name.padEnd(30)} p50 ${quantile(values, 0.5).toFixed(2)} ms  p99 ${quantile(values, 0.99).toFixed(2)} ms`;
  console.log(`at ${String(RATE)} requests a second`);
  console.log(row('asked directly', latency.direct));
  console.log(row('through bare undici', latency.bare));
  console.log(row('through drover', latency.ours));
  const more = (q: number): string => (quantile(latency.ours, q) - quantile(latency.direct, q)).toFixed(2);
  console.log(`overhead                       p50 ${more(0.5)} ms (limit 1)  p99 ${more(0.99)} ms (limit 10)`);
  const [a, b] = [quantile(rate.ours, 0.5), quantile(rate.bare, 0.5)];
  console.log(
    `at saturation: drover ${a.toFixed(0)}/s, bare ${b.toFixed(0)}/s: ${(a / b).toFixed(2)} × bare (limit 0.8)`,
  );

  const before = rssOf(pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, rssOf(pid))), 20);
  const big = await ours.pool.request({ path: '/v1/bots/bench/query/big', method: 'POST' });
  let bytes = 0;
  for await (const chunk of big.body) bytes += (chunk as Buffer).length;
  clearInterval(watch);
  console.log(
    `a reply of ${(bytes / 1024 ** 2).toFixed(0)} MiB: memory ${before.toFixed(0)} → ${peak.toFixed(0)} MiB at most, + ${(peak - before).toFixed(1)} (limit 10)`,
  );
  await Promise.all([direct, through, ours].map(({ pool }) => pool.destroy()));
} finally {
  await bare.end();
  await drover.end();
}
