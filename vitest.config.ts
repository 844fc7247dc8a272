import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/setup/slowest-first.ts';
import { Summary } from './test/setup/summary.ts';
import { ENGINE_WORKERS, WORKERS } from './test/setup/workers.ts';

/**
 * Files of `unit` and `contract` run side by side: each has data folders and databases of its own, and each worker has servers
 * of its own. Then come those that share the engine, and last what needs the machine for itself.
 */
const beside = { maxWorkers: WORKERS, sequence: { groupOrder: 0 } };
const onEngine = { maxWorkers: ENGINE_WORKERS, sequence: { groupOrder: 1 } };
const worker = ['test/setup/worker.ts'];
const servers = 'test/setup/servers.ts';
const bundle = 'test/setup/bundle.ts';
const engine = 'test/setup/engine.ts';
const withEngine = {
  globalSetup: [bundle, engine, servers],
  setupFiles: worker,
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

/** See test/README.md for what each project is for. */
const EXCLUSIVE = [
  'test/faults/engine-lost.test.ts',
  'test/faults/host-pressure.test.ts',
  'test/faults/kill-everything.test.ts',
  'test/integration/demo.test.ts',
  'test/integration/drover-image.test.ts',
];

export default defineConfig({
  test: {
    // A test that passes when it is tried again is a defect, of the product or of the test.
    retry: 0,
    sequence: { sequencer: SlowestFirst },
    reporters: ['default', new Summary()],
    // What is waited for comes when it comes: machines are shared. A test fails on a wrong value, not on a late one.
    // A look may cost the engine or a controller something: more often than this it would slow down what it waits for.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    projects: [
      {
        extends: true,
        test: {
          ...beside,
          name: 'unit',
          isolate: false,
          setupFiles: ['test/setup/folder.ts'],
          include: ['test/{unit,controllers,replay}/**/*.test.ts', 'test/docs/{links,fields,faults,cases}.test.ts'],
          // Longer than what is waited for: then a test says what did not come.
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          ...beside,
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: [servers],
          setupFiles: worker,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          ...onEngine,
          name: 'servers',
          include: ['test/servers/**/*.test.ts'],
          globalSetup: [bundle, servers],
          setupFiles: worker,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          ...onEngine,
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/faults/**/*.test.ts'],
          exclude: EXCLUSIVE,
          ...withEngine,
        },
      },
      {
        extends: true,
        test: {
          ...onEngine,
          name: 'docs',
          // One file, for the pages need the ports that they name. No other test uses these.
          include: ['test/docs/commands.test.ts'],
          ...withEngine,
        },
      },
      {
        extends: true,
        test: {
          name: 'exclusive',
          include: EXCLUSIVE,
          ...withEngine,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
