/** Global set-up: MongoDB, NATS and an object store for each worker, so that tests in one never meet those in another. */
import type { TestProject } from 'vitest/node';
import { createTestServers, type TestServers } from '../../scripts/servers/test-servers.ts';
import { once } from './once.ts';
import { say } from './say.ts';
import './provided.ts';
import { ENGINE_WORKERS, WORKERS } from './workers.ts';

const startAll = async (): Promise<readonly TestServers[]> => {
  const all = Array.from({ length: Math.max(WORKERS, ENGINE_WORKERS) }, (_, worker) =>
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

export const setup = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const { value, release } = await once('servers', startAll, async (all) => {
    await Promise.all(all.map((servers) => servers.stop()));
  });
  provide(
    'servers',
    value.map((servers) => servers.env()),
  );
  provide('leftOut', value[0]?.leftOut() ?? []);
  return release;
};
