/** ScheduleService on MongoDB and NATS, as processes of its own: messages, documents of others, and a leader that dies. */
import { Long } from 'mongodb';
import { connect, JSONCodec } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DroverProcess } from '../../scripts/drover-process.ts';
import type { PassedSlots, RunRecord } from '../../src/domain/scheduled-bot.ts';
import { watchStarts, type ContainerStarts } from '../support/container-starts.ts';
import { referenceSchedule } from '../support/reference-document.ts';
import { COUNTING } from '../support/schedule-spine.ts';
import { HAS, openWorld, type World } from '../support/servers-world.ts';

const CODE = 'user-1/counter/1.0.0';
const PERIOD_S = 3;
/** Several containers take their time on a machine that does other things too. */
const patient = { timeout: 150_000 };

describe.skipIf(!HAS.mongo || !HAS.nats)('schedules on servers', () => {
  let world: World;
  let starts: ContainerStarts;
  let current: DroverProcess | undefined;
  beforeAll(async () => {
    world = await openWorld({ nats: true, env: { RECONCILE_INTERVAL: '5s' } });
    starts = await watchStarts(world.install);
    await world.putZip(CODE, COUNTING);
  });
  afterAll(async () => {
    starts.close();
    await world.close();
  });
  /** That of the test before, when there was one. */
  const running = async (): Promise<DroverProcess> => (current ??= await world.start({ command: 'bot-scheduler' }));

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
      .poll(async () => (await runs(drover, id)).filter(({ status }) => status === 'succeeded').length, patient)
      .toBeGreaterThanOrEqual(count);
  const tell = async (subject: string, message: unknown): Promise<void> => {
    const nats = await connect({ servers: world.env['NATS_URL'] ?? '' });
    nats.publish(subject, JSONCodec().encode(message));
    await nats.drain();
  };

  it('case F4: a message with a cron text that is none is a dead letter, and the earlier document stays', async () => {
    const drover = await running();
    const isHeard = async (): Promise<unknown> => {
      await tell('the0.bot-schedule.created', document('texts'));
      return world.schedules.findOne({ id: 'texts' });
    };
    await expect.poll(isHeard, { interval: 1_000 }).not.toBeNull();
    const wrong = { '61 * * * *': 'above 59', '* * * * 7': 'Sunday is 0', '* * *': 'has 3 fields' };
    for (const schedule of Object.keys(wrong)) {
      await tell('the0.bot-schedule.updated', referenceSchedule('texts', { schedule, filePath: CODE }));
    }
    const reasons = async (): Promise<string> => {
      const { body } = await drover.call('GET', '/v1/dead-letters');
      return JSON.stringify(body);
    };
    for (const why of Object.values(wrong)) await expect.poll(reasons).toContain(why);
    const stored = await world.schedules.findOne({ id: 'texts' });
    expect(stored?.['config']).toMatchObject({ schedule: `*/${String(PERIOD_S)} * * * * *` });
    const { body } = await drover.call('GET', '/v1/schedules/texts');
    expect(body).toMatchObject({ state: 'armed' });
    await tell('the0.bot-schedule.deleted', { id: 'texts', config: {} });
    await expect.poll(() => world.schedules.findOne({ id: 'texts' })).toBeNull();
  });

  it('a message makes a schedule, its document says when it runs next, another message removes it', async () => {
    const drover = await running();
    const isHeard = async (): Promise<unknown> => {
      await tell('the0.bot-schedule.created', document('told'));
      return world.schedules.findOne({ id: 'told' });
    };
    await expect.poll(isHeard, { interval: 1_000 }).not.toBeNull();
    await succeeded(drover, 'told', 2);
    const next = async (): Promise<unknown> =>
      (await world.schedules.findOne({ id: 'told' }, { promoteLongs: false }))?.['next_execution_time'];
    expect(await next()).toBeInstanceOf(Long);
    // The slot after the newest that has come, whether that was run or passed.
    const ahead = async (): Promise<number> => {
      const came = [
        ...(await runs(drover, 'told')).map(({ scheduledAt }) => scheduledAt),
        ...(await passed(drover, 'told')),
      ];
      return Number(await next()) - Math.max(...came) / 1_000;
    };
    await expect.poll(ahead).toBe(PERIOD_S);
    await tell('the0.bot-schedule.deleted', { id: 'told', config: {} });
    await expect
      .poll(async () => (await drover.call('GET', '/v1/schedules/told')).body)
      .toMatchObject({ state: 'deleted' });
    expect(await world.schedules.findOne({ id: 'told' })).toBeNull();
  }, 300_000);

  it('R21, D7: of two schedulers one acts; the other goes on after a kill -9, and no slot runs twice or is lost', async () => {
    let first = await running();
    const second = await world.start({ command: 'bot-scheduler' });
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
    await expect.poll(going, patient).toMatchObject({ state: 'disabled', runs: [] });

    const all = await runs(first, 'counter');
    // Run, or told why not: each slot once, from the first to the last.
    const slots = [...all.map(({ scheduledAt }) => scheduledAt), ...(await passed(first, 'counter'))].sort(
      (a, b) => a - b,
    );
    expect(slots).toEqual(slots.map((_, n) => (slots[0] ?? 0) + n * PERIOD_S * 1_000));
    expect(all.length).toBeGreaterThanOrEqual(7);
    const started = all.filter(({ startedAt }) => startedAt !== null);
    const seen = [...starts.byName].filter(([name]) => name.includes('counter'));
    expect(seen).toHaveLength(started.length);
    expect(seen.every(([, count]) => count === 1)).toBe(true);
  }, 600_000);
});
