/**
 * What the runtime costs inside a container: from the container's start to the bot's first line, against a bare `node -e`
 * in the same image in the same run; and the anonymous memory of all our processes beside an idle bot, against that of one
 * idle Node process. `npx tsx bench/start.bench.ts [rounds]`; needs an engine and the bot image. Best on an idle machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { docker, IMAGE, startSpine } from '../test/support/spine.ts';
import { anonymousOf } from './support/anonymous-memory.ts';
import { MARK, MARKING_BOT, untilFirstLine } from './support/first-line.ts';

const ROUNDS = Number(process.argv[2] ?? 15);
const MIB = 1024 ** 2;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

const bare = async (code: string): Promise<Docker.Container> => {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['node', '-e', code],
    HostConfig: { NetworkMode: 'drover-bots', ReadonlyRootfs: true },
  });
  await container.start();
  return container;
};

const processesOf = async (container: Docker.Container): Promise<readonly (readonly [string, string])[]> => {
  const { Processes } = (await container.top({ ps_args: '-eo pid,args' })) as { Processes: string[][] };
  return Processes.map(([pid = '', args = '']) => [pid, args] as const);
};

const spine = await startSpine();
const floor: number[] = [];
const ours: number[] = [];
let memory: readonly (readonly [string, number])[] = [];
let idleNode = 0;
try {
  await spine.deploy('warm-up', MARKING_BOT);
  await spine.reaches('warm-up', 'running');
  for (let round = 0; round < ROUNDS; round += 1) {
    const plain = await bare(`console.log('${MARK}')`);
    floor.push(await untilFirstLine(plain));
    await plain.remove({ force: true });
    const id = `bench-${String(round)}`;
    await spine.deploy(id, MARKING_BOT);
    const { containerId } = await spine.reaches(id, 'running');
    const container = docker.getContainer(containerId ?? '');
    ours.push(await untilFirstLine(container));
    if (round === ROUNDS - 1) {
      // What was moved at the start is let go after a while.
      await sleep(25_000);
      const beside = (await processesOf(container)).filter(([, args]) => !args.includes('node_bot'));
      memory = beside.map(([pid, args]) => [args, anonymousOf(pid)] as const);
      const idle = await bare('setInterval(() => {}, 1e6)');
      await sleep(1_000);
      idleNode = Math.max(...(await processesOf(idle)).map(([pid]) => anonymousOf(pid)));
      await idle.remove({ force: true });
    }
    await spine.put(id, spine.document(id, { config: { enabled: false } }));
    await spine.reaches(id, 'stopped');
  }
} finally {
  await spine.end();
}

const row = (name: string, values: readonly number[]): string =>
  `${name.padEnd(34)} p50 ${quantile(values, 0.5).toFixed(0).padStart(5)} ms  p95 ${quantile(values, 0.95).toFixed(0).padStart(5)} ms`;
console.log(row('bare node -e: start → first line', floor));
console.log(row('a bot: start → first line', ours));
const more = quantile(ours, 0.5) - quantile(floor, 0.5);
console.log(
  `${'more than the floor'.padEnd(34)} p50 ${more.toFixed(0).padStart(5)} ms  ${(quantile(ours, 0.5) / quantile(floor, 0.5)).toFixed(2)} × floor`,
);
for (const [args, bytes] of memory)
  console.log(`${args.slice(0, 60).padEnd(62)} ${(bytes / MIB).toFixed(1)} MiB anonymous`);
const sum = memory.reduce((total, [, bytes]) => total + bytes, 0);
console.log(
  `${'all of ours beside an idle bot'.padEnd(62)} ${(sum / MIB).toFixed(1)} MiB, ${(sum / idleNode).toFixed(2)} × one idle node (${(idleNode / MIB).toFixed(1)} MiB)`,
);
