/** Global set-up: MongoDB, NATS and an object store for each worker, so that tests in one never meet those in another. */
import type { TestProject, Vitest } from 'vitest/node';
import { createTestServers, type TestServers } from '../../scripts/servers/test-servers.ts';
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

const startAll = async (vitest: Vitest): Promise<readonly TestServers[]> => {
  const all = Array.from({ length: workersOf(vitest) }, (_, worker) =>
    createTestServers(worker === 0 ? say : () => undefined),
  );
  // The first one finds or builds the programs; the others then only start them.
  const [first, ...others] = all;
  try {
    await first?.start();
    await Promise.all(others.map((servers) => servers.start()));
  } catch (thrown) {
    await Promise.all(all.map((servers) => servers.stop()));
    throw thrown;
  }
  return all;
};

export const setup = async ({ provide, vitest }: TestProject): Promise<() => Promise<void>> => {
  const { value, release } = await once(
    'servers',
    () => startAll(vitest),
    async (all) => {
      await Promise.all(all.map((servers) => servers.stop()));
    },
  );
  provide(
    'servers',
    value.map((servers) => servers.env()),
  );
  provide('leftOut', value[0]?.leftOut() ?? []);
  return release;
};
