/** Interleavings of wishes, hands and deaths of the controller, on the real engine and the real log. */
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { containerName } from '../../src/domain/naming.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import type { Hands } from '../support/fake-engine.ts';
import { cases } from '../support/full.ts';
import { aSpec } from '../support/given.ts';
import { anyStep, runInterleaving, type Step } from '../support/interleaving.ts';
import { realEngine } from '../support/real-engine.ts';
import { docker, HOST, IMAGE, LOOPING, zipOf } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const COUNT = cases(20, 200);
const SIDE_BY_SIDE = 6;
/** Delays of the order of the engine's own, so that they meet. */
const POLICY = {
  ...DEFAULT_POLICY,
  backoffFirstMs: 20,
  backoffMaxMs: 200,
  healthyAfterMs: 150,
  effectRetryMs: 100,
  crashWindowMs: 60_000,
};

describe('interleavings on the real engine', () => {
  const install = newInstall();
  let dataDir: string;
  let stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'drover-inter-'));
    stores = await openEmbeddedStores({ dataDir, installId: install, writer: 'test', now: () => Date.now() });
    await stores.archives.putCode('u/loop/1', zipOf({ 'main.js': LOOPING }));
  });
  afterAll(async () => {
    await stores.close();
    await removeInstall(docker, install);
    await rm(dataDir, { recursive: true, force: true });
  });

  /**
   * A hand finds what it finds: a container that is not there, or not in the state it wants, is no fault; nor is one whose
   * processes start faster than a busy kernel can freeze them.
   */
  const isInVain = (error: { statusCode?: number; message?: string }): boolean =>
    error.statusCode === 404 || error.statusCode === 409 || /unable to freeze/.test(error.message ?? '');
  const byHand =
    (act: (name: string) => Promise<unknown>) =>
    async (botId: string): Promise<void> => {
      await act(containerName(install, botId)).catch((error: unknown) => {
        if (!isInVain(error as { statusCode?: number; message?: string })) throw error;
      });
    };
  const hands: Hands = {
    exit: byHand((name) => docker.getContainer(name).kill()),
    pause: byHand((name) => docker.getContainer(name).pause()),
    unpause: byHand(async (name) => {
      const { State } = await docker.getContainer(name).inspect();
      if (State.Paused) await docker.getContainer(name).unpause();
    }),
    restart: byHand((name) => docker.getContainer(name).restart({ t: 0 })),
    remove: byHand((name) => docker.getContainer(name).remove({ force: true })),
  };
  const live = async (botId: string): Promise<{ specHash: string }[]> =>
    (
      await docker.listContainers({
        filters: { label: [`drover.install=${install}`, `runtime.id=${botId}`], status: ['running', 'paused'] },
      })
    ).map(({ Labels }) => ({ specHash: Labels['drover.spec-hash'] ?? '' }));

  it(`${String(COUNT)} of them: never a twin, and the end is as wished`, { timeout: 900_000 }, async () => {
    const short = fc.array(anyStep, { minLength: 2, maxLength: 7 });
    const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
    const runs: readonly (readonly Step[])[] = fc.sample(short, { numRuns: COUNT, seed });
    const failures: string[] = [];
    const queue = runs.map((steps, index) => ({ steps, index }));
    const engine = realEngine({
      host: HOST,
      install,
      archives: stores.archives,
    });
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { steps, index } = next;
        const spec = aSpec({ id: `b${String(index)}`, image: IMAGE, code: { filePath: 'u/loop/1', version: '1' } });
        await runInterleaving(
          {
            spec: { ...spec, stopGraceMs: 2_000 },
            engine,
            hands,
            live,
            events: stores.events,
            // One store serves all: forgetting snapshots forgets everybody's, which must be harmless.
            snapshots: stores.snapshots,
            policy: POLICY,
            now: () => Date.now(),
            pass: (ms) => sleep(Math.min(ms, 2_500)),
          },
          steps,
        ).catch((error: unknown) => {
          failures.push(`seed ${String(seed)} run ${String(index)}: ${JSON.stringify(steps)}\n${String(error)}`);
        });
        await hands.remove(`b${String(index)}`);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    expect(failures).toEqual([]);
  });
});
