/** Global set-up: MongoDB, NATS and an object store for each worker, so that tests in one never meet those in another. */
import type { TestProject, Vitest } from 'vitest/node';
import { createTestServers } from '../../scripts/servers/test-servers.ts';
import './folder.ts';
import { lendServers, type LentServers } from './lent-servers.ts';
import { once } from './once.ts';
import { say } from './say.ts';
import './provided.ts';

/**
 * How many workers there will be at once. A set of servers takes more than a second of a processor to start: a run of one
 * file shall not wait for four. The projects of one group share its workers.
 */
const workersOf = ({ projects, state }: Vitest): number => {
  const files = state.getPaths();
  const workers = projects.map(({ config }) => {
    const group = projects.filter((project) => project.config.sequence.groupOrder === config.sequence.groupOrder);
    const ofGroup = files.filter((file) => group.some((project) => project.matchesTestGlob(file)));
    return Math.min(ofGroup.length, config.maxWorkers);
  });
  return Math.max(1, ...workers);
};

interface Started {
  readonly lent: LentServers;
  readonly leftOut: readonly string[];
  stop(): Promise<void>;
}

const startAll = async (vitest: Vitest): Promise<Started> => {
  const all = Array.from({ length: workersOf(vitest) }, (_, worker) =>
    createTestServers(worker === 0 ? say : () => undefined),
  );
  const stopAll = async (): Promise<void> => {
    await Promise.all(all.map((servers) => servers.stop()));
  };
  // The first one finds or builds the programs; the others then only start them.
  const [first, ...others] = all;
  try {
    await first?.start();
    await Promise.all(others.map((servers) => servers.start()));
  } catch (thrown) {
    await stopAll();
    throw thrown;
  }
  const lent = await lendServers(all.map((servers) => servers.env()));
  return {
    lent,
    leftOut: first?.leftOut() ?? [],
    stop: async () => {
      await lent.close();
      await stopAll();
    },
  };
};

export const setup = async ({ provide, vitest }: TestProject): Promise<() => Promise<void>> => {
  const { value, release } = await once(
    'servers',
    () => startAll(vitest),
    (started) => started.stop(),
  );
  provide('lender', value.lent.lender);
  provide('leftOut', value.leftOut);
  return release;
};
