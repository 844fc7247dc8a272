/**
 * From a published message to the create call at the engine, over plain NATS and over a stream, as a ratio to what the
 * parts cost alone in the same run: one hop through NATS and two durable writes (document, log) to MongoDB.
 * `MONGO_URI=… NATS_URL=… npx tsx bench/message.bench.ts [rounds]`; needs an engine and the bot image too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDrover } from '../scripts/build-drover.ts';
import { openSocketProxy } from '../test/support/socket-proxy.ts';
import { connectToTestNats, openWorld } from '../test/support/servers-world.ts';
import { removeStream, STREAM } from '../test/support/test-stream.ts';

const ROUNDS = Number(process.argv[2] ?? 30);

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;
const row = (name: string, values: readonly number[], floor: readonly number[]): string => {
  const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)];
  const ratio = p50 / quantile(floor, 0.5);
  return `${name.padEnd(40)} p50 ${p50.toFixed(1).padStart(6)} ms  p99 ${p99.toFixed(1).padStart(6)} ms  ${ratio.toFixed(1)} × floor`;
};

await buildDrover();
const nats = await connectToTestNats();
const { streams } = await nats.jetstreamManager();
const floor: number[] = [];
const rows: string[] = [];

for (const way of ['plain', 'stream'] as const) {
  await removeStream(nats);
  if (way === 'stream') await streams.add({ name: STREAM, subjects: ['the0.bot.created'] });
  const proxy = await openSocketProxy();
  const world = await openWorld({ nats: true });
  const took: number[] = [];
  try {
    const drover = await world.start({ env: { DOCKER_HOST: proxy.host } });
    const heard = async (): Promise<boolean> =>
      JSON.stringify((await drover.call('GET', '/readyz?verbose')).body).includes('"messages","ok":true');
    while (!(await heard())) await sleep(50);
    await world.putZip('bench/1.0.0');
    for (let round = -1; round < ROUNDS; round += 1) {
      const echo = nats.subscribe('bench.echo', { max: 1 });
      const begun = performance.now();
      nats.publish('bench.echo');
      for await (const _message of echo) break;
      const note = world.ours.collection('bench');
      for (const n of [1, 2]) await note.insertOne({ round, n }, { writeConcern: { w: 'majority', journal: true } });
      if (round >= 0) floor.push(performance.now() - begun);

      const id = `bench-${String(round + 1)}`;
      const data = new TextEncoder().encode(JSON.stringify(world.document(id, {}, 'bench/1.0.0')));
      const sent = performance.now();
      nats.publish('the0.bot.created', data);
      const created = () => proxy.requests().find(({ line }) => line.includes(`create?name=`) && line.includes(id));
      while (created() === undefined) await sleep(1);
      // The first one warms up.
      if (round >= 0) took.push((created()?.at ?? 0) - sent);
      await world.reaches(drover, id, 'running');
    }
  } finally {
    await world.close();
    await proxy.close();
  }
  rows.push(row(`published → engine asked to create, ${way}`, took, floor));
}
await removeStream(nats);
await nats.close();
console.log(row('NATS hop and two writes to MongoDB', floor, floor));
for (const line of rows) console.log(line);
