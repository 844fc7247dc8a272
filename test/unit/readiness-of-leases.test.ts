/** `/readyz` of a process that leads, stands by, or waits for a leader that is gone (case F5). */
import { expect, it } from 'vitest';
import { createReadiness } from '../../src/controllers/readiness.ts';
import { createTroubles } from '../../src/controllers/troubles.ts';
import type { Leadership } from '../../src/ports/leadership.ts';

interface Seen {
  readonly epoch?: number;
  readonly holder?: string;
  readonly isHeld?: boolean;
  readonly leads?: boolean;
}

const leaseOf = async ({ epoch, holder, isHeld = false, leads = false }: Seen) => {
  const answers = {
    head: () => Promise.resolve(1),
    read: () => Promise.resolve(undefined),
    ping: () => Promise.resolve(),
    checkNetwork: () => Promise.resolve(),
  };
  const leadership = { role: 'r', epoch: () => epoch, holder: () => holder, isHeld: () => isHeld } as Leadership;
  const readiness = createReadiness({
    events: answers,
    specs: answers,
    archives: answers,
    engine: answers,
    leases: [{ leadership, leads: () => leads, acts: true }],
    bus: undefined,
    started: () => true,
    troubles: createTroubles(() => 0),
    orphans: { list: () => [] },
    states: { folds: () => new Map() },
  });
  return (await readiness()).find(({ name }) => name === 'lease r');
};

it.each<[string, Seen, boolean, RegExp]>([
  ['leads', { epoch: 3, holder: 'me', isHeld: true, leads: true }, true, /^leader, epoch 3$/],
  ['stands by', { holder: 'other', isHeld: true }, true, /^standby; the leader is other$/],
  ['waits for one that is silent', { holder: 'other' }, false, /^nobody acts: the last leader, other, has not renewed/],
  ['has the lease and does not act yet', { epoch: 3, holder: 'me', isHeld: true }, false, /^elected/],
  ['knows of nobody', {}, false, /^there is no leader yet$/],
])('case F5: a process that %s', async (_what, seen, ok, detail) => {
  expect(await leaseOf(seen)).toMatchObject({ ok, detail: expect.stringMatching(detail) as unknown });
});
