import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import type { RestartPolicy } from '../../src/domain/bot.ts';
import { DEFAULT_POLICY, type BotPolicy } from '../../src/domain/policy.ts';
import { defaultsOf, policyOf } from '../../src/config-parts.ts';
import { loadConfig } from '../../src/config.ts';
import { backoffDelay } from '../../src/machines/backoff.ts';
import { absent, aSpec, exited, given, HASH, log, present, REF, stateAfter, T0, wish } from '../support/given.ts';

const crash = (at: number): BotEvent => ({
  type: 'ContainerExited',
  at,
  ref: REF,
  exitCode: 1,
  class: 'appError',
  terminal: false,
  finishedAt: at,
  logTail: [],
});

/** A log of `count` crashes, each a minute's tenth after the other. */
const crashes = (count: number, everyMs = 6_000): BotEvent[] => {
  const events = [...log.running];
  for (let n = 1; n <= count; n += 1) {
    const at = T0 + n * everyMs;
    events.push(crash(at), { type: 'ContainerRemoved', at, ref: REF });
    if (n === count) break;
    events.push(
      { type: 'RetryScheduled', at, notBefore: at, delayMs: 0, streak: n },
      { type: 'ContainerStartRequested', at, attempt: n + 1, generation: 1, hash: HASH, deadline: at + 1 },
      { type: 'ContainerCreated', at, ref: REF, attempt: n + 1, incarnation: 1, generation: 1, specHash: HASH },
      { type: 'ContainerStarted', at, ref: REF, startedAt: at },
    );
  }
  return events;
};

describe('backoff (feature C3)', () => {
  it('is 1 s, doubles, and is capped at 60 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((streak) => backoffDelay(DEFAULT_POLICY, streak, 0.5));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });
  it('differs by the jitter either way and no more', () => {
    expect(backoffDelay(DEFAULT_POLICY, 1, 0)).toBe(900);
    expect(backoffDelay(DEFAULT_POLICY, 1, 0.999999)).toBe(1_100);
  });
  it('follows a crash, keeps the dead container until it is due, and then replaces it', () => {
    const first = given(log.running).when({ observation: exited() });
    first.then(['ContainerExited', 'RetryScheduled'], [], 'failed.backingOff');
    expect(first.plan.wakeAfterMs).toBe(1_000);
    const events = [...log.running, ...first.plan.events];
    given(events)
      .when({ observation: exited(), now: T0 + 1_999 })
      .then([], [], 'failed.backingOff');
    given(events)
      .when({ observation: exited(), now: T0 + 2_000 })
      .then([], ['EnsureRemoved'], 'failed.backingOff');
    given(events)
      .when({ now: T0 + 2_000 })
      .then(['ContainerRemoved', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('takes back a container that a hand started again meanwhile', () => {
    const first = given(log.running).when({ observation: exited() });
    given([...log.running, ...first.plan.events])
      .when({ observation: present({ startedAt: T0 + 950 }) })
      .then(['ContainerAdopted'], ['EnsureDelivered'], 'running');
  });
  it('is not reset by running shortly, but by running for healthyAfter', () => {
    const second = given(crashes(2)).when({ now: T0 + 12_000 });
    expect(second.plan.events.at(-1)).toMatchObject({ type: 'RetryScheduled', delayMs: 2_000, streak: 2 });
    const healthy = [...log.running, { type: 'BecameHealthy' as const, at: T0 + 70_000, afterMs: 60_000 }];
    const { plan } = given(healthy).when({ observation: exited(), now: T0 + 80_000 });
    expect(plan.events.at(-1)).toMatchObject({ delayMs: 1_000 });
  });
  it('is cleared by a new generation at once', () => {
    const waiting = given(crashes(3)).when({ now: T0 + 18_000 });
    given([...crashes(3), ...waiting.plan.events])
      .when({ now: T0 + 18_001, desired: wish({ spec: aSpec({ config: { fixed: true } }) }) })
      .then(['SpecChanged', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
});

describe('giving up (feature C4)', () => {
  it('happens at the tenth crash within ten minutes and not at the ninth', () => {
    given(crashes(9))
      .when({ now: T0 + 54_000 })
      .then(['RetryScheduled'], [], 'failed.backingOff');
    given(crashes(10))
      .when({ now: T0 + 60_000 })
      .then(['GaveUp'], [], 'failed.exhausted');
  });
  it('does not happen when the ten are spread over more than ten minutes', () => {
    given(crashes(10, 70_000))
      .when({ now: T0 + 700_000 })
      .then(['RetryScheduled'], [], 'failed.backingOff');
  });
  const exhausted = [
    ...crashes(10),
    { type: 'GaveUp' as const, at: T0 + 60_000, reason: 'crashLoop' as const, crashes: 10, windowMs: 600_000 },
  ];
  it('lasts: time alone changes nothing', () => {
    const { plan } = given(exhausted)
      .when({ now: T0 + 9e9 })
      .then([], [], 'failed.exhausted');
    expect(plan.wakeAfterMs).toBeUndefined();
  });
  it('is left by reset', () => {
    const requests = [{ requestId: 'r1', kind: 'reset' as const, actor: 'ann', reason: 'fixed', at: T0 }];
    given(exhausted)
      .when({ desired: wish({ requests }), now: T0 + 61_000 })
      .then(['ResetRequested', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('is left by a new generation', () => {
    given(exhausted)
      .when({ desired: wish({ spec: aSpec({ config: {} }) }), now: T0 + 61_000 })
      .then(['SpecChanged', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('is not left by a restart', () => {
    const requests = [{ requestId: 'r1', kind: 'restart' as const, actor: 'ann', reason: '', at: T0 }];
    given(exhausted)
      .when({ desired: wish({ requests }), now: T0 + 61_000 })
      .then(['RestartRequested'], [], 'failed.exhausted');
  });
  it('comes at once when trying again cannot help', () => {
    const report = {
      attempt: 1,
      phase: 'code' as const,
      error: { code: 'ARCHIVE_CORRUPT' as const, detail: 'no zip' },
    };
    const { plan } = given(log.running).when({ observation: exited({ report }) });
    expect(plan.events.map(({ type }) => type)).toEqual(['ContainerExited', 'GaveUp']);
    expect(plan.events[0]).toMatchObject({ class: 'startError', code: 'ARCHIVE_CORRUPT' });
  });
});

describe('R30: a bot that crashes again and again, under the default settings', () => {
  const config = loadConfig({ env: {} });
  const defaults = policyOf(config);
  /** More crashes than any of these policies counts. */
  const MOST = 30;
  const desired = wish({ spec: aSpec({ restartPolicy: defaultsOf(config).restartPolicy }) });

  interface Story {
    readonly at: string;
    /** Since the first crash, ms. */
    readonly afterMs: number;
    readonly crashes: number;
  }
  /** Each start runs for `runMs` and then crashes; time passes until drover gives up, or until `MOST` crashes. */
  const crashing = (
    runMs: number,
    { random = 0.5, ...change }: Partial<BotPolicy> & { random?: number } = {},
  ): Story => {
    const policy = { ...defaults, ...change };
    let events = log.running;
    let now = T0 + 5;
    let first: number | undefined;
    for (let crashes = 1; ; crashes += 1) {
      const step = (change: Parameters<ReturnType<typeof given>['when']>[0]): void => {
        events = [...events, ...given(events).when({ desired, policy, random, now, ...change }).plan.events];
      };
      const attempt = crashes;
      const startedAt = now;
      if (runMs >= policy.healthyAfterMs) {
        now = startedAt + policy.healthyAfterMs;
        step({ observation: present({ attempt, startedAt }) });
      }
      now = startedAt + runMs;
      first ??= now;
      step({ observation: exited({ code: 1, finishedAt: now }, { attempt, startedAt }) });
      const { at, context } = stateAfter(events);
      if (at !== 'failed.backingOff' || crashes === MOST) return { at, afterMs: now - first, crashes };
      now = context.notBefore ?? now;
      step({ observation: absent });
      step({ observation: present({ attempt: attempt + 1, startedAt: now }) });
    }
  };

  it('ends in failed.exhausted at the tenth crash, when each start crashes at once', () => {
    // 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 seconds are less than the window of 600 s.
    expect(crashing(0)).toEqual({ at: 'failed.exhausted', afterMs: 243_000, crashes: 10 });
  });
  it('ends there also with the longest jitter', () => {
    expect(crashing(0, { random: 0.999999 })).toMatchObject({ at: 'failed.exhausted', crashes: 10 });
  });
  it.each([
    [39, 'failed.exhausted'],
    [40, 'failed.backingOff'],
    [59, 'failed.backingOff'],
    // It was healthy, so that each delay is the first one again.
    [60, 'failed.exhausted'],
    [65, 'failed.exhausted'],
    [66, 'failed.backingOff'],
  ])('that runs for %i s each time: %s', (seconds, at) => {
    expect(crashing(seconds * 1_000)).toMatchObject({ at });
  });
  it.each([{ maxCrashes: 20 }, { crashWindowMs: 180_000 }])(
    'never ends there when the delays alone do not fit into the window: %j',
    (change) => {
      expect(crashing(0, change)).toMatchObject({ at: 'failed.backingOff', crashes: MOST });
    },
  );
});

describe('restart policy (feature C2)', () => {
  const table: [RestartPolicy, number, BotEvent['type'], string][] = [
    ['always', 0, 'RetryScheduled', 'failed.backingOff'],
    ['always', 1, 'RetryScheduled', 'failed.backingOff'],
    ['always', 137, 'RetryScheduled', 'failed.backingOff'],
    ['always', 143, 'RetryScheduled', 'failed.backingOff'],
    ['on-failure', 0, 'BotCompleted', 'stopped'],
    ['on-failure', 1, 'RetryScheduled', 'failed.backingOff'],
    ['on-failure', 137, 'RetryScheduled', 'failed.backingOff'],
    ['on-failure', 143, 'RetryScheduled', 'failed.backingOff'],
    ['never', 0, 'BotCompleted', 'stopped'],
    ['never', 1, 'GaveUp', 'failed.exhausted'],
    ['never', 137, 'GaveUp', 'failed.exhausted'],
    ['never', 143, 'GaveUp', 'failed.exhausted'],
  ];
  it.each(table)('%s after exit code %i: %s', (restartPolicy, code, decision, at) => {
    const desired = wish({ spec: aSpec({ restartPolicy }) });
    const { plan } = given(log.running).when({ desired, observation: exited({ code }) });
    expect(plan.events.map(({ type }) => type)).toEqual(['ContainerExited', decision]);
    expect(plan.state.at).toBe(at);
  });
  it.each(['always', 'on-failure', 'never'] as const)(
    '%s: one in which the bot never ran is tried again (fault R10)',
    (restartPolicy) => {
      const desired = wish({ spec: aSpec({ restartPolicy }) });
      const report = {
        attempt: 1,
        phase: 'state' as const,
        error: { code: 'STORAGE_UNAVAILABLE' as const, detail: 'away' },
      };
      const { plan } = given(log.running).when({ desired, observation: exited({ code: 1, report }) });
      expect(plan.events.map(({ type }) => type)).toEqual(['ContainerExited', 'RetryScheduled']);
    },
  );
  it('a completed bot stays so until it is asked for again', () => {
    const desired = wish({ spec: aSpec({ restartPolicy: 'never' }) });
    const done = given(log.running).when({ desired, observation: exited({ code: 0 }) });
    const events = [...log.running, ...done.plan.events];
    given(events)
      .when({ desired, now: T0 + 9e9 })
      .then(['ContainerRemoved'], ['EnsureSynced'], 'stopped');
    const requests = [{ requestId: 'r', kind: 'restart' as const, actor: 'a', reason: '', at: T0 }];
    given(events)
      .when({ desired: { ...desired, requests } as typeof desired })
      .then(['RestartRequested', 'ContainerRemoved', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
});

describe('deadlines (feature B12)', () => {
  it('a start that takes too long fails and is tried again', () => {
    given(log.starting)
      .when({ now: T0 + 120_000 })
      .then(['StartTimedOut', 'RetryScheduled'], [], 'failed.backingOff');
  });
  it('holds also while the engine does not answer', () => {
    given(log.starting)
      .when({ now: T0 + 120_000, observation: { kind: 'unknown', reason: 'hangs' } })
      .then(['StartTimedOut', 'RetryScheduled'], [], 'failed.backingOff');
  });
  it('a container that survives SIGKILL ends in failed, is taken back later, and never gets a twin', () => {
    const off = wish({ enabled: false });
    const stuck = given(log.stopping).when({ desired: off, observation: present(), now: T0 + 60_010 });
    stuck.then(['StopTimedOut', 'RetryScheduled'], [], 'failed.backingOff');
    given([...log.stopping, ...stuck.plan.events])
      .when({ desired: off, observation: present(), now: T0 + 70_000 })
      .then(['ContainerAdopted', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
  });
});

describe('a refused effect', () => {
  const failed = (terminal: boolean): BotEvent => ({
    type: 'ContainerCreateFailed',
    at: T0 + 50,
    attempt: 1,
    code: terminal ? 'ENGINE_REFUSED' : 'IMAGE_UNAVAILABLE',
    class: terminal ? 'terminal' : 'retryable',
    detail: 'no',
  });
  it('to create backs off instead of looping', () => {
    const { plan } = given([...log.starting, failed(false)])
      .when()
      .then(['RetryScheduled'], [], 'failed.backingOff');
    expect(plan.wakeAfterMs).toBe(1_000);
  });
  it('that can never succeed gives up at once', () => {
    given([...log.starting, failed(true)])
      .when()
      .then(['GaveUp'], [], 'failed.exhausted');
  });
  it('to remove holds every further call back for a while', () => {
    const refused: BotEvent = {
      type: 'ContainerRemoveFailed',
      at: T0 + 50,
      ref: REF,
      code: 'NAME_BUSY',
      class: 'retryable',
      detail: 'removing',
      notBefore: T0 + 5_050,
    };
    const ended = [...log.stopping, crash(T0 + 40), refused];
    const desired = wish({ enabled: false });
    const { plan } = given(ended).when({ desired, observation: exited() }).then([], [], 'stopping');
    expect(plan.wakeAfterMs).toBe(4_050);
    given(ended)
      .when({ desired, observation: exited(), now: T0 + 5_050 })
      .then([], ['EnsureRemoved'], 'stopping');
    const dead = exited({}, { status: 'dead' });
    given(ended)
      .when({ desired, observation: dead, now: T0 + 5_050 })
      .then([], ['EnsureSetAside'], 'stopping');
    given(ended).when({ desired, observation: absent }).then(['ContainerRemoved'], [], 'stopped');
  });
});
