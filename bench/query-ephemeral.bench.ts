/**
 * What a query to a bot that does not run costs: cold, against a bare container of the same image that is made, started and runs
 * `node -e`; warm, against the bot's own import time in the same container. `npx tsx bench/query-ephemeral.bench.ts [rounds]`; needs
 * an engine and the bot image.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, IMAGE, LOOPING } from '../test/support/spine.ts';
import { startQuerySpine } from '../test/support/query-spine.ts';
import { quantile } from './support/quantile.ts';

const ROUNDS = Number(process.argv[2] ?? 15);
const PAUSE_MS = 150;

/** Its import takes what an SDK with some libraries takes, and it says how long that was. */
const QUERY = `const begun = process.hrtime.bigint();
require('http'); require('https'); require('crypto'); require('zlib'); require('stream/promises');
const importMs = Number(process.hrtime.bigint() - begun) / 1e6;
require('fs').writeFileSync('/query/result.json', JSON.stringify({ status: 'ok', data: { importMs } }));
process.exit(0);
`;

/** Made, started, and its first line heard. */
const bare = async (): Promise<number> => {
  const begun = performance.now();
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['node', '-e', "console.log('x')"],
    AttachStdout: true,
    HostConfig: { NetworkMode: 'drover-bots', ReadonlyRootfs: true },
  });
  const stream = await container.attach({ stream: true, stdout: true });
  const heard = new Promise((resolve) => stream.once('data', resolve));
  await container.start();
  await heard;
  const took = performance.now() - begun;
  await container.remove({ force: true });
  return took;
};

const spine = await startQuerySpine({ query: { warmTtlMs: 60_000 } });
const floor: number[] = [];
const cold: number[] = [];
const warm: number[] = [];
const imports: number[] = [];
const straight: number[] = [];
try {
  const change = { config: { enabled: false } };
  await spine.deployAsked('bench', { 'main.js': LOOPING, 'query.js': QUERY }, change);
  const timed = async (): Promise<{ ms: number; way: string | null; importMs: number }> => {
    const begun = performance.now();
    const { status, way, body, text } = await spine.ask('bench', '/x');
    if (status !== 200) throw new Error(text);
    return { ms: performance.now() - begun, way, importMs: (body['data'] as { importMs: number }).importMs };
  };
  await timed();
  for (let round = 0; round < ROUNDS; round += 1) {
    floor.push(await bare());
    // Another configuration, another container.
    const enabled = { ...change, config: { ...change.config, round } };
    await spine.put(
      'bench',
      spine.document('bench', { ...enabled, custom: { entrypoints: { bot: 'main.js', query: 'query.js' } } }),
    );
    await sleep(PAUSE_MS);
    const first = await timed();
    if (first.way !== 'cold') throw new Error(`expected a cold one, had ${String(first.way)}`);
    cold.push(first.ms);
    for (let again = 0; again < 6; again += 1) {
      await sleep(PAUSE_MS);
      const { ms, way, importMs } = await timed();
      if (way !== 'warm') throw new Error(`expected a warm one, had ${String(way)}`);
      warm.push(ms);
      imports.push(importMs);
    }
    for (let again = 0; again < 6; again += 1) straight.push((await timed()).ms);
  }
} finally {
  await spine.end();
}

const row = (name: string, values: readonly number[]): string =>
  `${name.padEnd(44)} p50 ${quantile(values, 0.5).toFixed(0).padStart(5)} ms  p95 ${quantile(values, 0.95).toFixed(0).padStart(5)} ms`;
console.log(row('bare: create + start + node -e', floor));
console.log(row('cold query', cold));
const more = quantile(cold, 0.5) - quantile(floor, 0.5);
console.log(
  `more than the floor                          p50 ${more.toFixed(0).padStart(5)} ms (limit 300)  ${(quantile(cold, 0.5) / quantile(floor, 0.5)).toFixed(2)} × floor`,
);
console.log(row(`warm query, one each ${String(PAUSE_MS)} ms`, warm));
console.log(row('the bot’s own import', imports));
const beyond = quantile(warm, 0.5) - quantile(imports, 0.5);
console.log(`more than the import                         p50 ${beyond.toFixed(0).padStart(5)} ms (limit 40)`);
console.log(row('warm queries one after another', straight));
