/**
 * What it costs to bind a reply to its container: a look at its process, as each reply has one, and at its address, as each new
 * connection has one; against bare reads of the same files in the same run. `npx tsx bench/query-endpoint.bench.ts [looks]`; needs an
 * engine on this host and the bot image.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { removeInstall } from '../scripts/remove-install.ts';
import { queryEngine, startBox } from '../test/support/query-engine.ts';
import { docker } from '../test/support/spine.ts';
import { quantile } from './support/quantile.ts';
import { newInstall } from '../test/support/test-run.ts';

const LOOKS = Number(process.argv[2] ?? 2_000);

/** Microseconds of each; in turns of the event loop of their own, since replies of one turn share a look. */
const measure = async (act: () => unknown): Promise<number[]> => {
  const times: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const begun = performance.now();
    act();
    times.push((performance.now() - begun) * 1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return times;
};

const install = newInstall();
try {
  const { container, ref } = await startBox(install, 'bench');
  const look = await queryEngine(install, { reach: 'address' }).endpointOf(ref);
  if (look.kind !== 'endpoint') throw new Error(`it is ${look.kind}`);
  const { endpoint } = look;
  const folder = `/proc/${String((await container.inspect()).State.Pid)}`;
  const file = openSync(`${folder}/stat`, 'r');
  const buffer = Buffer.alloc(512);
  const readStat = (): unknown => readSync(file, buffer, 0, buffer.length, 0);
  const readTrie = (): unknown => [readFileSync(`${folder}/net/fib_trie`), readFileSync(`${folder}/stat`)];
  const rows: [string, () => unknown, string, () => unknown][] = [
    ['does it live?', endpoint.lives, 'a bare read of its state', readStat],
    ['has it this address?', endpoint.holds, 'bare reads of its network and state', readTrie],
  ];
  for (const [name, ours, floorName, bare] of rows) {
    await measure(ours);
    await measure(bare);
    const [times, floor] = [quantile(await measure(ours), 0.5), quantile(await measure(bare), 0.5)];
    console.log(
      `${name.padEnd(22)} p50 ${times.toFixed(1)} µs; ${floorName} ${floor.toFixed(1)} µs: ${(times / floor).toFixed(2)} ×`,
    );
  }
  closeSync(file);
  endpoint.release();
} finally {
  await removeInstall(docker, install);
}
