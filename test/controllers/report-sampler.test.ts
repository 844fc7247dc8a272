/** Which running bots are looked at for their reports: all in turn, those with trouble at once, never too many. */
import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { createReportSampler } from '../../src/controllers/report-sampler.ts';
import type { VersionedState } from '../../src/machines/snapshot.ts';
import { log, REF, stateAfter, T0 } from '../support/given.ts';

const kept: BotEvent[] = [
  ...log.running,
  { type: 'StateSynced', at: T0, ref: REF, final: false },
  { type: 'LogsShipped', at: T0, ref: REF, final: false },
];
const failing: BotEvent[] = [
  ...kept,
  { type: 'StateSyncFailed', at: T0, ref: REF, code: 'ARCHIVE_UNAVAILABLE', detail: '' },
];
const fleet = (count: number, events: readonly BotEvent[], name: string): [string, VersionedState][] =>
  Array.from({ length: count }, (_, n) => [`${name}${String(n)}`, { state: stateAfter(events), version: 1 }]);

describe('the sampler of reports', () => {
  it('comes to every running bot within ten ticks, and never to all at once', () => {
    const folds = new Map(fleet(200, kept, 'b'));
    const sample = createReportSampler();
    const seen = new Set<string>();
    for (let tick = 0; tick < 10; tick += 1) {
      const chosen = sample(folds);
      expect(chosen.size).toBeLessThanOrEqual(20);
      for (const id of chosen) seen.add(id);
    }
    expect(seen.size).toBe(200);
  });
  it('takes those with trouble at every tick, bounded', () => {
    const folds = new Map([...fleet(200, kept, 'b'), ...fleet(3, failing, 'bad')]);
    const sample = createReportSampler();
    for (let tick = 0; tick < 3; tick += 1)
      expect([...sample(folds)]).toEqual(expect.arrayContaining(['bad0', 'bad1', 'bad2']));
    expect(createReportSampler()(new Map(fleet(500, failing, 'bad'))).size).toBeLessThanOrEqual(82);
  });
  it('leaves alone what does not run', () => {
    expect(createReportSampler()(new Map(fleet(9, log.created, 'b'))).size).toBe(0);
    expect(createReportSampler()(new Map()).size).toBe(0);
  });
});
