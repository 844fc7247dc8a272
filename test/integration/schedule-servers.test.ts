/** ScheduleService on MongoDB and NATS, as processes of its own: messages, documents of others, and a leader that dies. */
import { Long } from 'mongodb';
import { connect, JSONCodec } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DroverProcess } from '../../scripts/drover-process.ts';
import type { PassedSlots, RunRecord } from '../../src/domain/scheduled-bot.ts';
import { watchStarts, type ContainerStarts } from '../support/container-starts.ts';
import { referenceSchedule } from '../support/reference-document.ts';
import { COUNTING } from '../support/schedule-spine.ts';
import { HAS, openWorld, type World } from '../support/servers-world.ts';

const CODE = 'user-1/counter/1.0.0';
const PERIOD_S = 3;

describe.skipIf(!HAS.mongo || !HAS.nats)('schedules on servers', () => {
  let world: World;
  let starts: ContainerStarts;
  beforeEach(async () => {
    world = await openWorld({ nats: true, env: { RECONCILE_INTERVAL: '5s' } });
    starts = await watchStarts(world.install);
  });
  afterEach(async () => {
    starts.close();
    await world.close();
  });

  const document = (id: string): Record<string, unknown> =>
    referenceSchedule(id, {
      schedule: `*/${String(PERIOD_S)} * * * * *`,
      filePath: CODE,
      drover: { missed: 'all', missedCap: 200, overlap: 'queueOne' },
    });
  const runs = async (drover: DroverProcess, id: string): Promise<readonly RunRecord[]> => {
    const { body } = await drover.call('GET', `/v1/schedules/${id}/runs?limit=1000&all=true`);
    return [...((body as { runs?: readonly RunRecord[] }).runs ?? [])].reverse();
  };
  /** Every slot that was told as not run. */
  const passed = async (drover: DroverProcess, id: string): Promise<readonly number[]> => {
    const { body } = await drover.call('GET', `/v1/schedules/${id}/runs?limit=1000&all=true`);
    return (body as { passed: readonly PassedSlots[] }).passed.flatMap(({ from, count }) =>
      Array.from({ length: count }, (_, n) => from + n * PERIOD_S * 1_000),
    );
  };
  const succeeded = (drover: DroverProcess, id: string, count: number): Promise<void> =>
    expect
      .poll(async () => (await runs(drover, id)).filter(({ status }) => status === 'succeeded').length, {
        timeout: 90_000,
        interval: 100,
      })
      .toBeGreaterThanOrEqual(count);
  const tell = async (subject: string, message: unknown): Promise<void> => {
    const nats = await connect({ servers: world.env['NATS_URL'] ?? '' });
    nats.publish(subject, JSONCodec().encode(message));
    await nats.drain();
  };

  it('a message makes a schedule, its document says when it runs next, another message removes it', async () => {
    const drover = await world.start({ command: 'bot-scheduler' });
    await world.putZip(CODE, COUNTING);
    const isHeard = async (): Promise<unknown> => {
      await tell('the0.bot-schedule.created', document('counter'));
      return world.schedules.findOne({ id: 'counter' });
    };
    await expect.poll(isHeard, { interval: 1_000 }).not.toBeNull();
    await succeeded(drover, 'counter', 2);
    const found = await world.schedules.findOne({ id: 'counter' }, { promoteLongs: false });
    const next: unknown = found?.['next_execution_time'];
    expect(next).toBeInstanceOf(Long);
    expect(Math.abs(Number(next) * 1_000 - Date.now())).toBeLessThan(2 * PERIOD_S * 1_000);
    expect(Number(next) % PERIOD_S).toBe(0);
    await tell('the0.bot-schedule.deleted', { id: 'counter', config: {} });
    await expect
      .poll(async () => (await drover.call('GET', '/v1/schedules/counter')).body)
      .toMatchObject({ state: 'deleted' });
    expect(await world.schedules.findOne({ id: 'counter' })).toBeNull();
  }, 150_000);

  it('R21, D7: of two schedulers one acts; the other goes on after a kill -9, and no slot runs twice or is lost', async () => {
    let first = await world.start({ command: 'bot-scheduler' });
    const second = await world.start({ command: 'bot-scheduler' });
    await world.putZip(CODE, COUNTING);
    await world.schedules.insertOne(document('counter'));
    await succeeded(second, 'counter', 2);
    await first.end('SIGKILL');
    const before = (await runs(second, 'counter')).length;
    await succeeded(second, 'counter', before + 3);
    first = await world.start({ command: 'bot-scheduler' });
    await second.end('SIGTERM');
    await succeeded(first, 'counter', (await runs(first, 'counter')).length + 2);
    await first.call('POST', '/v1/schedules/counter/disable', {});
    const going = async (): Promise<unknown> => (await first.call('GET', '/v1/schedules/counter')).body;
    await expect.poll(going).toMatchObject({ state: 'disabled', runs: [] });

    const all = await runs(first, 'counter');
    // Run, or told why not: each slot once, from the first to the last.
    const slots = [...all.map(({ scheduledAt }) => scheduledAt), ...(await passed(first, 'counter'))].sort(
      (a, b) => a - b,
    );
    expect(slots).toEqual(slots.map((_, n) => (slots[0] ?? 0) + n * PERIOD_S * 1_000));
    expect(all.length).toBeGreaterThanOrEqual(7);
    const started = all.filter(({ startedAt }) => startedAt !== null);
    expect(starts.byName.size).toBe(started.length);
    expect([...starts.byName.values()].every((count) => count === 1)).toBe(true);
  }, 240_000);
});
