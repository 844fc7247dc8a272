/** What a bot's log says of its state and logs, and what follows from it (features E1, E3). */
import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import type { Condition } from '../../src/domain/running-bot.ts';
import type { SyncReport } from '../../src/domain/sync-report.ts';
import { conditionsOf } from '../../src/machines/conditions.ts';
import { absent, exited, given, HASH, log, present, REF, stateAfter, T0, wish } from '../support/given.ts';

const report = (change: Partial<SyncReport> = {}): SyncReport => ({
  attempt: 1,
  writtenAt: T0,
  restored: { source: 'none', storeReachable: true },
  state: { status: 'synced', snapshot: { attempt: 1, sequence: 3 } },
  logs: { status: 'shipped', droppedBytes: 0 },
  ...change,
});
const off = wish({ enabled: false });
const conditionOf = (events: readonly BotEvent[], type: Condition['type']): Condition | undefined =>
  conditionsOf(stateAfter(events)).find((condition) => condition.type === type);

/** A log with what one look at this report adds. */
const told = (events: readonly BotEvent[], change: Partial<SyncReport> = {}): BotEvent[] => [
  ...events,
  ...given(events).when({ observation: present({ report: report(change) }) }).plan.events,
];

describe('a runtime that reports nothing new', () => {
  const silent = (reportSilentMs: number, change: object = {}) =>
    present({ report: report(), reportSilentMs, ...change });
  const kept = told(log.running);

  it('case E11: is told of state and logs once, and is believed again when it speaks', () => {
    given(kept)
      .when({ observation: silent(179_000) })
      .then([], [], 'running');
    const stale = given(kept).when({ observation: silent(180_000) });
    stale.then(['StateSyncFailed', 'LogsShippingFailed'], [], 'running');
    const after = [...kept, ...stale.plan.events];
    given(after)
      .when({ observation: silent(999_000) })
      .then([], [], 'running');
    for (const type of ['StateSynced', 'LogsShipped'] as const) {
      expect(conditionOf(after, type)).toMatchObject({ status: 'False', reason: 'ReportStale' });
    }
    given(after)
      .when({ observation: silent(0) })
      .then(['StateSynced', 'LogsShipped'], [], 'running');
  });
  it('case E11: also when there is nothing that can be read in the place of its report', () => {
    given(kept)
      .when({ observation: present({ reportSilentMs: 180_000 }) })
      .then(['StateSyncFailed', 'LogsShippingFailed'], [], 'running');
  });
});

describe('what the runtime inside reports', () => {
  it('is recorded once: where the state came from, that it is stored, that logs are', () => {
    const seen = present({ report: report() });
    const first = given(log.running).when({ observation: seen });
    first.then(['StateRestored', 'StateSynced', 'LogsShipped'], [], 'running');
    expect(first.plan.events[1]).toMatchObject({ snapshot: { attempt: 1, sequence: 3 }, final: false });
    given([...log.running, ...first.plan.events])
      .when({ observation: seen })
      .then([], [], 'running');
  });
  it('makes conditions that name the snapshot', () => {
    expect(conditionOf(log.running, 'StateSynced')).toMatchObject({ status: 'Unknown', reason: 'NotReported' });
    expect(conditionOf(told(log.running), 'StateSynced')).toMatchObject({
      status: 'True',
      message: 'newest snapshot a1/s3',
    });
  });
  it('an outside edit is told before the restore that took it over', () => {
    const restored = {
      source: 'volume',
      storeReachable: true,
      editedOutside: true,
      former: { attempt: 1, sequence: 2 },
    } as const;
    given(log.running)
      .when({ observation: present({ report: report({ restored }) }) })
      .then(['StateEditedOutside', 'StateRestored', 'StateSynced', 'LogsShipped'], [], 'running');
  });
  it('R10: started from the volume alone: StateSynced is Unknown', () => {
    const events = told(log.running, {
      restored: { source: 'volume', storeReachable: false },
      state: { status: 'unknown' },
      logs: { status: 'unknown', droppedBytes: 0 },
    });
    expect(conditionOf(events, 'StateSynced')).toMatchObject({ status: 'Unknown', reason: 'StorageUnavailable' });
  });
  it('R11: a sync that fails is told once, and its end too', () => {
    const failing = { state: { status: 'failing', error: { code: 'ARCHIVE_UNAVAILABLE', detail: 'away' } } } as const;
    const running = told(log.running);
    const failed = told(running, failing);
    expect(failed.slice(running.length).map(({ type }) => type)).toEqual(['StateSyncFailed']);
    expect(told(failed, failing)).toHaveLength(failed.length);
    expect(conditionOf(failed, 'StateSynced')).toMatchObject({ status: 'False', reason: 'ArchiveUnavailable' });
    expect(told(failed).at(-1)).toMatchObject({ type: 'StateSynced' });
  });
  it('R37: files over the limits are named in the condition, largest first', () => {
    const overLimit = [{ path: '.the0-state/huge.json', bytes: 20 * 1024 ** 2 }];
    const events = told(log.running, { state: { status: 'synced', overLimit } });
    expect(conditionOf(events, 'StateSynced')).toMatchObject({
      status: 'False',
      reason: 'OverLimit',
      message: 'not stored: .the0-state/huge.json (20 MiB)',
    });
    expect(told(events).at(-1)).toMatchObject({ type: 'StateOverLimit', files: [] });
  });
  it('case D12: what was not unpacked is a condition of this container, told once', () => {
    const code = { skipped: 3, entries: ['out is a symbolic link', '../x leads out of the folder'] };
    const restored = { source: 'none', storeReachable: true } as const;
    const events = told(log.running, { restored, code });
    expect(events.filter(({ type }) => type === 'CodeEntriesSkipped')).toHaveLength(1);
    expect(told(events, { restored, code })).toHaveLength(events.length);
    expect(conditionOf(events, 'CodeComplete')).toMatchObject({
      status: 'False',
      reason: 'EntriesSkipped',
      message: 'not unpacked: out is a symbolic link; ../x leads out of the folder; and 1 more',
    });
    expect(conditionOf(told(log.running), 'CodeComplete')).toBeUndefined();
  });
  it('R31: dropped output is told', () => {
    const events = told(log.running, { logs: { status: 'shipped', droppedBytes: 512 } });
    expect(conditionOf(events, 'LogsShipped')?.message).toMatch(/512 bytes/);
  });
});

describe('a container that ends', () => {
  const verified = {
    report: { attempt: 1, phase: 'bot' as const, code: 0, final: { stateSynced: true, logsShipped: true } },
  };
  const end = (events: readonly BotEvent[], exit: Parameters<typeof exited>[0]) => {
    const ended = given(events).when({ desired: off, observation: exited(exit) });
    return [...events, ...ended.plan.events];
  };

  it('with a verified last sync leaves nothing to do', () => {
    given(end(log.stopping, verified)).when({ desired: off }).then(['ContainerRemoved'], [], 'stopped');
  });
  it.each([
    ['was killed and says nothing', { code: 137 }],
    ['could not store its state', { report: { ...verified.report, final: { stateSynced: false, logsShipped: true } } }],
    ['could not ship its logs', { report: { ...verified.report, final: { stateSynced: true, logsShipped: false } } }],
  ])('R11: that %s is synced from its volume, with backoff, until it is stored', (_what, exit) => {
    const events = end(log.stopping, exit);
    const stopped = given(events).when({ desired: off });
    stopped.then(['ContainerRemoved'], ['EnsureSynced'], 'stopped');
    expect(stopped.plan.effects[0]).toMatchObject({ attempt: 1, incarnation: 1 });
    const failed: BotEvent[] = [
      ...events,
      ...stopped.plan.events,
      {
        type: 'VolumeSyncFailed',
        at: T0,
        code: 'ARCHIVE_UNAVAILABLE',
        class: 'retryable',
        detail: 'away',
        attempt: 1,
        retryAt: T0 + 5_000,
      },
    ];
    const waiting = given(failed)
      .when({ desired: off, now: T0 + 2_000 })
      .then([], [], 'stopped');
    expect(waiting.plan.wakeAfterMs).toBe(3_000);
    given(failed)
      .when({ desired: off, now: T0 + 5_000 })
      .then([], ['EnsureSynced'], 'stopped');
    const synced: BotEvent[] = [...failed, { type: 'VolumeSynced', at: T0 + 6_000, attempt: 1 }];
    given(synced)
      .when({ desired: off, now: T0 + 9e9 })
      .then([], [], 'stopped');
    expect(conditionOf(synced, 'StateSynced')).toMatchObject({ status: 'True' });
  });
  it('that never came to its bot left nothing new', () => {
    const exit = {
      report: { attempt: 1, phase: 'state' as const, error: { code: 'STORAGE_UNAVAILABLE' as const, detail: 'away' } },
    };
    given(end(log.stopping, exit)).when({ desired: off }).then(['ContainerRemoved'], [], 'stopped');
  });
  it('is not synced from its volume when it is started again: the next start goes on from there', () => {
    const crashed = given(log.running).when({ observation: exited({ code: 137 }) });
    given([...log.running, ...crashed.plan.events])
      .when({ now: T0 + 9e6 })
      .then(['ContainerRemoved', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('of a deleted bot is synced before its volumes may go', () => {
    const gone = { kind: 'gone' } as const;
    const asked = given(log.running).when({ desired: gone, observation: present() });
    given([...log.running, ...asked.plan.events])
      .when({ desired: gone })
      .then(['ContainerVanished', 'BotDeleted'], ['EnsureSynced'], 'deleted');
  });
  it('R10: an outage of the archive store is tried again for ever and never counted as a crash', () => {
    let events: BotEvent[] = [...log.running];
    const error = { code: 'STORAGE_UNAVAILABLE' as const, detail: 'away' };
    for (let n = 1; n <= 30; n += 1) {
      const at = T0 + n * 10_000;
      const ended = given(events).when({
        now: at,
        observation: exited({ report: { attempt: n, phase: 'state', error } }),
      });
      expect(ended.plan.events.at(-1)).toMatchObject({ type: 'RetryScheduled' });
      const notBefore = at + 100_000;
      events = [
        ...log.running,
        ...ended.plan.events.slice(0, 1),
        { type: 'RetryScheduled', at, notBefore, delayMs: 1, streak: n },
        { type: 'ContainerRemoved', at, ref: REF },
        { type: 'ContainerStartRequested', at, attempt: n + 1, generation: 1, hash: HASH, deadline: at + 1 },
        { type: 'ContainerCreated', at, ref: REF, attempt: n + 1, incarnation: 1, generation: 1, specHash: HASH },
        { type: 'ContainerStarted', at, ref: REF, startedAt: at },
      ];
      expect(stateAfter(events).context.crashes).toEqual([]);
    }
  });
  it('because a newer start has stored state: the next number comes after that one', () => {
    const error = { code: 'STATE_SUPERSEDED' as const, detail: 'a57/s3 is newer than a1' };
    const ended = given(log.running).when({ observation: exited({ report: { attempt: 1, phase: 'state', error } }) });
    const again = given([...log.running, ...ended.plan.events]).when({ now: T0 + 9e6 });
    expect(again.plan.events.at(-1)).toMatchObject({ type: 'ContainerStartRequested', attempt: 58 });
  });
  it('R35: with a state that cannot be restored is given up at once, and says so', () => {
    const error = { code: 'STATE_RESTORE_FAILED' as const, detail: 'a1/s3: its sha256 differs' };
    const ended = given(log.running).when({ observation: exited({ report: { attempt: 1, phase: 'state', error } }) });
    ended.then(['ContainerExited', 'GaveUp'], ['EnsureRemoved'], 'failed.exhausted');
    expect(conditionOf([...log.running, ...ended.plan.events], 'Degraded')).toMatchObject({
      reason: 'StateRestoreFailed',
    });
  });
});

describe('R32: host pressure', () => {
  it('holds starts below 5 % of free disk, says so once, and lets them go when there is space', () => {
    const held = given(log.created).when({ diskFree: 0.049 }).then(['HostPressureFound'], [], 'stopped');
    const events = [...log.created, ...held.plan.events];
    given(events).when({ diskFree: 0.01 }).then([], [], 'stopped');
    expect(conditionOf(events, 'Progressing')).toMatchObject({
      reason: 'HostPressure',
      message: 'the start waits for disk space: 4.9 % of the disk under the engine is free',
    });
    given(events)
      .when({ diskFree: 0.05 })
      .then(['HostPressureGone', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('stops and syncs go on', () => {
    given(log.running)
      .when({ desired: off, observation: present(), diskFree: 0.01 })
      .then(['BotDisabled', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
  });
});

describe('a restart by hand', () => {
  it('brings what the bot read once and removed, once', () => {
    const seen = present({ startedAt: T0 + 99 });
    const restarted = given(log.running).when({ observation: seen });
    restarted.then(['ContainerRestarted'], ['EnsureDelivered'], 'running');
    const events = [...log.running, ...restarted.plan.events];
    given([...events, { type: 'ConfigurationDelivered', at: T0 + 100, ref: REF }])
      .when({ observation: seen })
      .then([], [], 'running');
  });
});

it('a code digest is used again for the same spec only', () => {
  const digest = 'd'.repeat(64);
  const created: BotEvent[] = [
    ...log.starting,
    {
      type: 'ContainerCreated',
      at: T0 + 1,
      ref: REF,
      attempt: 1,
      incarnation: 1,
      generation: 1,
      specHash: HASH,
      codeDigest: digest,
    },
    { type: 'ContainerStartFailed', at: T0 + 2, code: 'ENGINE_ERROR', class: 'retryable', detail: '', attempt: 1 },
    { type: 'RetryScheduled', at: T0 + 2, notBefore: T0 + 2, delayMs: 0, streak: 1 },
    { type: 'ContainerRemoved', at: T0 + 3, ref: REF },
  ];
  const again = given(created).when({ observation: absent });
  expect(again.plan.effects[0]).toMatchObject({ type: 'EnsureContainer', plan: { knownDigest: digest } });
});
