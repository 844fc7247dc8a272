/**
 * How much drover adds to the engine: from a wish to a running bot, and from a death to its record, as ratios to what the
 * engine alone takes in the same run. `npx tsx bench/reaction.bench.ts [rounds]`; needs an engine and the bot image.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from './support/quantile.ts';
import { docker, IMAGE, startSpine } from '../test/support/spine.ts';

const ROUNDS = Number(process.argv[2] ?? 15);

const rawStart = async (): Promise<number> => {
  const begun = performance.now();
  const container = await docker.createContainer({
    Image: IMAGE,
    Entrypoint: ['sleep', '60'],
    Cmd: [],
    HostConfig: { NetworkMode: 'drover-bots' },
  });
  await container.start();
  const took = performance.now() - begun;
  await container.remove({ force: true });
  return took;
};

const spine = await startSpine();
const floor: number[] = [];
const decided: number[] = [];
const running: number[] = [];
const noticed: number[] = [];
const until = async (done: () => boolean): Promise<number> => {
  while (!done()) await sleep(1);
  return performance.now();
};
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = `bench-${String(round)}`;
    const saw = (type: string) => () => spine.told.some(({ botId, event }) => botId === id && event.type === type);
    if (round === 0) await spine.deploy('warm-up').then(() => spine.reaches('warm-up', 'running'));
    floor.push(await rawStart());
    const wished = performance.now();
    await spine.deploy(id);
    decided.push((await until(saw('ContainerStartRequested'))) - wished);
    running.push((await until(saw('ContainerStarted'))) - wished);
    const killed = performance.now();
    await docker.getContainer(spine.bot(id)?.containerId ?? '').kill();
    noticed.push((await until(saw('ContainerExited'))) - killed);
    await spine.put(id, spine.document(id, { config: { enabled: false } }));
    await spine.reaches(id, 'stopped');
  }
} finally {
  await spine.end();
}
const row = (name: string, values: readonly number[]): string => {
  const [p50, p95] = [quantile(values, 0.5), quantile(values, 0.95)];
  const ratio = p50 / quantile(floor, 0.5);
  return `${name.padEnd(34)} p50 ${p50.toFixed(0).padStart(5)} ms  p95 ${p95.toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)} × floor`;
};
console.log(row('engine alone: create and start', floor));
console.log(row('wish written → start recorded', decided));
console.log(row('wish written → running recorded', running));
console.log(row('docker kill called → exit recorded', noticed));
