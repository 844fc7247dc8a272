/** The spec store was away when it was asked: what it has to tell is done without waiting for the tick, which is an hour off. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { createDrover, type Drover } from '../../src/main.ts';
import type { SpecRecord, SpecStore } from '../../src/ports/spec-store.ts';
import { createFakeEngine } from '../support/fake-engine.ts';
import { noPredecessor } from '../support/no-predecessor.ts';
import { aDocument } from '../support/served.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { DEFAULTS } from '../support/spec-defaults.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const asked = { requestId: 'r', actor: 'ann', action: 'test', at: 1 };
const HOUR_MS = 3_600_000;
/** What is told of the store, and of which bot: "any of them" when that is undefined. */
type Told = Parameters<Parameters<SpecStore['onChange']>[0]>[0];

describe('a store that was away', () => {
  const time = createVirtualClock(1_700_000_000_000);
  let dataDir: string;
  let stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  let drover: Drover;
  /** Another program has written that into the document: nobody asked us. */
  let isDisabled: boolean;
  /** How many of the next reads of each kind fail. */
  let failing: { read: number; readFleet: number };
  const listeners: ((id: Told) => void)[] = [];
  const tell = (id: Told): void => {
    for (const listener of listeners) listener(id);
  };

  const orFail = <T>(kind: 'read' | 'readFleet', work: () => Promise<T>): Promise<T> => {
    if (failing[kind] === 0) return work();
    failing[kind] -= 1;
    return Promise.reject(new DroverError('STORE_UNAVAILABLE', 'it does not answer'));
  };
  const asWritten = ({ asked: by, document, ...record }: SpecRecord): SpecRecord =>
    isDisabled
      ? { ...record, document: aDocument('one', { enabled: false }) }
      : { ...record, document, ...(by && { asked: by }) };
  const state = (): string | undefined => drover.states.get('one')?.state;
  /** Time passes until that is so, at most a minute of it: the tick does not come. */
  const comes = async (fact: () => boolean): Promise<void> => {
    const end = time.clock.now() + 60_000;
    const look = (): boolean => {
      time.set(Math.min(end, time.clock.now() + 500));
      return fact();
    };
    await expect.poll(look, { timeout: 20_000 }).toBe(true);
  };

  beforeEach(async () => {
    listeners.length = 0;
    isDisabled = false;
    failing = { read: 0, readFleet: 0 };
    dataDir = await mkdtemp(join(tmpdir(), 'drover-returns-'));
    const { now } = time.clock;
    stores = await openEmbeddedStores({ dataDir, writer: 'test', now });
    const specs: SpecStore = {
      ...stores.specs,
      read: (id) =>
        orFail('read', async () => {
          const record = await stores.specs.read(id);
          return record && asWritten(record);
        }),
      readFleet: () =>
        orFail('readFleet', async () => {
          const read = await stores.specs.readFleet();
          return { ...read, records: read.records.map(asWritten) };
        }),
      onChange: (listener) => {
        listeners.push((id) => {
          listener(id, undefined);
        });
        return stores.specs.onChange(listener);
      },
    };
    drover = await createDrover({
      ...stores,
      specs,
      bots: { ...stores.offices.bots, engine: createFakeEngine(now).engine },
      runs: { ...stores.offices.runs, engine: createFakeEngine(now).engine },
      predecessor: noPredecessor,
      policy: DEFAULT_POLICY,
      defaults: DEFAULTS,
      resyncIntervalMs: HOUR_MS,
      clock: time.clock,
      logger: silentLogger,
      tell: () => undefined,
    });
    await stores.specs.put('one', aDocument('one'), asked);
    await drover.start();
    await comes(() => state() === 'running');
  });
  afterEach(async () => {
    await drover.stop(1_000);
    await stores.close();
    await rm(dataDir, { recursive: true });
  });

  it.each([
    ['the document', 'one', 'read'],
    ['the whole fleet', undefined, 'readFleet'],
    // A stop that nobody asked for is confirmed by a read of the whole fleet.
    ['the confirmation', 'one', 'readFleet'],
  ] as const)('when %s was read: a bot that another program disabled is stopped', async (_what, told, fails) => {
    failing[fails] = 2;
    isDisabled = true;
    tell(told);
    await comes(() => failing[fails] === 0);
    await comes(() => state() === 'stopped');
  });
});
