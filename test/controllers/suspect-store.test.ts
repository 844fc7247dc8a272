/** A spec store that is empty, wrong or half gone must not stop the fleet. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { createDrover, type Drover } from '../../src/main.ts';
import type { SpecStore } from '../../src/ports/spec-store.ts';
import { createFakeEngine } from '../support/fake-engine.ts';
import { noPredecessor } from '../support/no-predecessor.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { aDocument } from '../support/served.ts';

const asked = { requestId: 'r', actor: 'ann', action: 'test', at: 1 };
const ids = Array.from({ length: 20 }, (_, n) => `bot-${String(n).padStart(2, '0')}`);

describe('a suspect spec store', () => {
  let dataDir: string;
  let stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  let drover: Drover;
  /** Ids that have fallen out of the store without anyone having asked. */
  let missing = new Set<string>();
  let installId: string | undefined;

  beforeEach(async () => {
    missing = new Set();
    installId = undefined;
    dataDir = await mkdtemp(join(tmpdir(), 'drover-suspect-'));
    stores = await openEmbeddedStores({ dataDir, writer: 'test', now: () => Date.now() });
    const lossy: SpecStore = {
      ...stores.specs,
      read: async (id) => (missing.has(id) ? undefined : stores.specs.read(id)),
      readFleet: async () => {
        const read = await stores.specs.readFleet();
        const records = read.records.filter(({ id }) => !missing.has(id));
        return { ...read, records, installId: installId ?? read.installId };
      },
    };
    drover = await createDrover({
      ...stores,
      specs: lossy,
      bots: { ...stores.offices.bots, engine: createFakeEngine(() => Date.now()).engine },
      runs: { ...stores.offices.runs, engine: createFakeEngine(() => Date.now()).engine },
      predecessor: noPredecessor,
      policy: DEFAULT_POLICY,
      defaults: {
        image: 'img',
        limits: { memoryMb: 64, cpuShares: 2, pids: 8 },
        stopHookMs: 1_000,
        stopGraceMs: 1_000,
        finalSyncMs: 10_000,
        restartPolicy: 'always',
      },
      resyncIntervalMs: 50,
      clock: systemClock,
      logger: silentLogger,
      tell: () => undefined,
    });
    for (const id of ids) await stores.specs.put(id, aDocument(id), asked);
    await drover.start();
    await expect.poll(() => running().length).toBe(ids.length);
  });
  afterEach(async () => {
    await drover.stop(1_000);
    await stores.close();
    await rm(dataDir, { recursive: true });
  });

  const running = (): string[] =>
    drover.states
      .list()
      .filter(({ state }) => state === 'running')
      .map(({ botId }) => botId);
  const ticks = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      const before = drover.states.metrics().lastResyncAt ?? 0;
      await expect.poll(() => drover.states.metrics().lastResyncAt ?? 0).toBeGreaterThan(before);
    }
  };

  it('that is empty stops nothing, until it is confirmed', async () => {
    missing = new Set(ids);
    await expect.poll(() => drover.guard.suspicion()?.botIds.length).toBe(ids.length);
    await ticks(3);
    expect(running()).toEqual(ids);
    await drover.guard.confirm(asked);
    await expect.poll(running).toEqual([]);
  });
  it('case E20: that is empty stops nothing of a fleet of two either', async () => {
    for (const id of ids.slice(2)) await stores.specs.remove(id, asked);
    await expect.poll(running).toEqual(ids.slice(0, 2));
    missing = new Set(ids);
    await expect.poll(() => drover.guard.suspicion()?.botIds.length).toBe(2);
    await ticks(5);
    expect(running()).toEqual(ids.slice(0, 2));
    await drover.guard.confirm(asked);
    await expect.poll(running).toEqual([]);
  });
  it('that heals by itself is trusted again, nothing having happened', async () => {
    missing = new Set(ids);
    await expect.poll(() => drover.guard.suspicion()).toBeDefined();
    missing = new Set();
    await expect.poll(() => drover.guard.suspicion()).toBeUndefined();
    expect(running()).toEqual(ids);
    expect(drover.states.list().every(({ generation, attempt }) => generation === 1 && attempt === 1)).toBe(true);
  });
  it('of another install is not believed, however few are missing', async () => {
    installId = 'other';
    missing = new Set([ids[0] ?? '']);
    await ticks(3);
    expect(running()).toEqual(ids);
  });
  it('that lost a few lets these few go', async () => {
    missing = new Set(ids.slice(0, 2));
    await expect.poll(running).toEqual(ids.slice(2));
  });
  it('is no obstacle to deleting all when that was asked for', async () => {
    for (const id of ids) await stores.specs.remove(id, asked);
    await expect.poll(running).toEqual([]);
    expect(drover.guard.suspicion()).toBeUndefined();
  });
});
