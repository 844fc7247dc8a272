import { describe, expect, it } from 'vitest';
import { absent, aSpec, exited, given, HASH, log, present, REF, stateAfter, T0, wish } from '../support/given.ts';

const off = wish({ enabled: false });

describe('a bot that is wished', () => {
  it('is created and its start is requested in one commit, then the container is asked for', () => {
    given([])
      .when()
      .then(['BotCreated', 'SpecChanged', 'BotEnabled', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('is not started while its document says disabled', () => {
    given([]).when({ desired: off }).then(['BotCreated', 'SpecChanged'], [], 'stopped');
  });
  it('asks again for a container that a crash kept from being made', () => {
    given(log.starting).when().then([], ['EnsureContainer'], 'starting');
  });
  it('starts the container that exists', () => {
    given(log.starting)
      .when({ observation: present({ status: 'created', pid: 0, startedAt: 0 }) })
      .then(['ContainerCreated'], ['EnsureStarted'], 'starting');
  });
  it('takes a container that runs already for the start it asked for', () => {
    given(log.starting).when({ observation: present() }).then(['ContainerCreated', 'ContainerStarted'], [], 'running');
  });
  it('comes to rest when all is as wished', () => {
    const { plan } = given(log.running).when({ observation: present() }).then([], [], 'running');
    // Until its runtime said where its state came from.
    expect(plan.wakeAfterMs).toBe(1_000);
  });
  it('is healthy after a minute and then needs no timer', () => {
    const { plan } = given(log.running)
      .when({ observation: present(), now: T0 + 60_005 })
      .then(['BecameHealthy'], [], 'running');
    expect(plan.wakeAfterMs).toBeUndefined();
  });
  it('is never judged by an engine that does not answer', () => {
    given(log.running)
      .when({ observation: { kind: 'unknown', reason: 'gone' } })
      .then([], [], 'running');
  });
  it('is adopted when the log knows nothing of its container', () => {
    given(log.created).when({ observation: present() }).then(['ContainerAdopted'], ['EnsureDelivered'], 'running');
  });
  it('waits for a live instance of the predecessor', () => {
    const observation = { kind: 'absent' as const, foreign: [{ node: 'n', id: 'old' }] };
    given(log.created).when({ observation }).then(['ForeignInstanceFound'], [], 'stopped');
    given([...log.created, { type: 'ForeignInstanceFound', at: T0, ref: { node: 'n', id: 'old' } }])
      .when()
      .then(['ForeignInstanceGone', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('creates nothing beside a predecessor that appears while it starts', () => {
    const observation = { kind: 'absent' as const, foreign: [{ node: 'n', id: 'old' }] };
    given(log.starting).when({ observation }).then(['ForeignInstanceFound'], [], 'starting');
  });
});

describe('a bot that is wished no more', () => {
  it('is asked to end, then killed after its grace, never twice', () => {
    const stopping = given(log.running)
      .when({ desired: off, observation: present() })
      .then(['BotDisabled', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
    expect(stopping.plan.effects[0]).toMatchObject({ signal: 'SIGTERM', ref: REF });
    const sent = [
      ...log.stopping,
      { type: 'StopSignalSent' as const, at: T0 + 20, ref: REF, signal: 'SIGTERM' as const },
    ];
    const waiting = given(sent).when({ desired: off, observation: present() }).then([], [], 'stopping');
    expect(waiting.plan.wakeAfterMs).toBe(29_010);
    const killing = given(sent)
      .when({ desired: off, observation: present(), now: T0 + 30_010 })
      .then([], ['EnsureSignalled'], 'stopping');
    expect(killing.plan.effects[0]).toMatchObject({ signal: 'SIGKILL' });
  });
  it('is removed only after its exit is recorded as our doing, and is then stopped', () => {
    const ended = given(log.stopping)
      .when({ desired: off, observation: exited({ code: 137 }) })
      .then(['ContainerExited'], ['EnsureRemoved'], 'stopping');
    expect(ended.plan.events[0]).toMatchObject({ class: 'stoppedByUs', exitCode: 137 });
    given([...log.stopping, ...ended.plan.events])
      .when({ desired: off })
      .then(['ContainerRemoved'], ['EnsureSynced'], 'stopped');
  });
  it('is deleted once nothing of it is left, and comes back as a new incarnation', () => {
    const gone = { kind: 'gone' } as const;
    const asked = given(log.running)
      .when({ desired: gone, observation: present() })
      .then(['BotDeletionRequested', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
    const events = [...log.running, ...asked.plan.events];
    const deleted = given(events)
      .when({ desired: gone })
      .then(['ContainerVanished', 'BotDeleted'], ['EnsureSynced'], 'deleted');
    const again = given([...events, ...deleted.plan.events])
      .when()
      .then(['BotCreated', 'SpecChanged', 'BotEnabled', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
    expect(again.plan.events[0]).toMatchObject({ incarnation: 2 });
    expect(again.plan.events[3]).toMatchObject({ attempt: 2 });
  });
  it('is stopped by a drain and says so', () => {
    const { plan } = given(log.running).when({ desired: wish({ drained: true }), observation: present() });
    expect(plan.events[0]).toMatchObject({ type: 'BotDisabled', reason: 'drain' });
    expect(plan.events[1]).toMatchObject({ reason: 'drained' });
  });
  it('never has a start begun when the wish goes before the container exists', () => {
    given(log.starting).when({ desired: off }).then(['BotDisabled', 'StartCancelled'], [], 'stopped');
  });
});

describe('a changed spec', () => {
  const changed = wish({ spec: aSpec({ config: { symbol: 'ETH' } }) });
  it('causes exactly one stop and one start, also when it was made while nobody looked', () => {
    const stop = given(log.running)
      .when({ desired: changed, observation: present() })
      .then(['SpecChanged', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
    expect(stop.plan.events[1]).toMatchObject({ reason: 'specChanged' });
    const events = [...log.running, ...stop.plan.events];
    given(events)
      .when({ desired: changed })
      .then(['ContainerVanished', 'ContainerStartRequested'], ['EnsureContainer'], 'starting');
  });
  it('and changed back needs no restart', () => {
    const there = stateAfter(log.running);
    expect(there.context.specHash).toBe(HASH);
    given([...log.running, { type: 'SpecChanged', at: T0 + 8, generation: 2, hash: 'other', version: '1' }])
      .when({ observation: present() })
      .then(['SpecChanged'], [], 'running');
  });
  it.each([
    ['code path', aSpec({ code: { filePath: 'u/alpha/1.0.1', version: '1.0.0' } })],
    ['version', aSpec({ code: { filePath: 'u/alpha/1.0.0', version: '1.0.1' } })],
    ['runtime', aSpec({ runtime: 'python3.11' })],
    ['entrypoints', aSpec({ entrypoints: { bot: 'main.js', query: 'query.js' } })],
    ['image', aSpec({ image: 'drover-bot:other' })],
    ['limits', aSpec({ limits: { memoryMb: 256, cpuShares: 512, pids: 256 } })],
  ])('of the %s is noticed', (_what, spec) => {
    given(log.running)
      .when({ desired: wish({ spec }), observation: present() })
      .then(['SpecChanged', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
  });
  it('of policy or grace restarts nothing', () => {
    const spec = aSpec({ restartPolicy: 'never', stopGraceMs: 1 });
    given(log.running)
      .when({ desired: wish({ spec }), observation: present() })
      .then([], [], 'running');
  });
});

describe('a broken document', () => {
  const broken = {
    kind: 'invalid',
    code: 'DOCUMENT_INVALID',
    reason: '/custom: is missing',
    enabled: undefined,
  } as const;
  it('gives the bot a condition and leaves what runs alone', () => {
    given(log.running).when({ desired: broken, observation: present() }).then(['SpecRejected'], [], 'running');
  });
  it('is told once', () => {
    given([...log.running, { type: 'SpecRejected', at: T0, code: broken.code, reason: broken.reason }])
      .when({ desired: broken, observation: present() })
      .then([], [], 'running');
  });
  it('still stops the bot when it says clearly that it is disabled', () => {
    given(log.running)
      .when({ desired: { ...broken, enabled: false }, observation: present() })
      .then(['SpecRejected', 'BotDisabled', 'ContainerStopRequested'], ['EnsureSignalled'], 'stopping');
  });
  it('of a new bot starts nothing', () => {
    given([]).when({ desired: broken }).then(['BotCreated', 'SpecRejected'], [], 'stopped');
  });
  it('repaired without a change is accepted again', () => {
    given([...log.running, { type: 'SpecRejected', at: T0, code: 'X', reason: 'y' }])
      .when({ observation: present() })
      .then(['SpecAccepted'], [], 'running');
  });
});

describe('a hand on the container', () => {
  it('that pauses it makes no twin and is told', () => {
    given(log.running)
      .when({ observation: present({ status: 'paused' }) })
      .then(['ContainerPaused'], [], 'running');
  });
  it('that restarts it is adopted', () => {
    given(log.running)
      .when({ observation: present({ startedAt: T0 + 99 }) })
      .then(['ContainerRestarted'], ['EnsureDelivered'], 'running');
  });
  it('that removes it leads to a restart after the backoff', () => {
    given(log.running)
      .when({ observation: absent })
      .then(['ContainerVanished', 'RetryScheduled'], [], 'failed.backingOff');
  });
});
