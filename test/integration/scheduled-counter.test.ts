/**
 * A Python bot counts its own runs in its state while the controller is killed again and again. The count
 * equals the number of slots.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { runDrover, startDrover, type DroverProcess } from '../../scripts/drover-process.ts';
import type { PassedSlots, RunRecord } from '../../src/domain/scheduled-bot.ts';
import { watchStarts, type ContainerStarts } from '../support/container-starts.ts';
import { cases } from '../support/full.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const COUNTER = `
import json, os

def main(id, config):
    folder = os.environ['STATE_DIR']
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, 'runs.json')
    slots = json.load(open(path)) if os.path.exists(path) else []
    slots.append(os.environ['SCHEDULED_AT'])
    with open(path + '.new', 'w') as file:
        json.dump(slots, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + '.new', path)
    print('count %d, all of them %s' % (len(slots), json.dumps(slots)))
`;
const PERIOD_S = 5;
const DOCUMENT = `
id: counter
config: { name: counter, type: scheduled/counter, version: 1.0.0, schedule: '*/${String(PERIOD_S)} * * * * *' }
custom:
  version: 1.0.0
  config: { name: counter, runtime: python3.11, version: 1.0.0, type: scheduled, entrypoints: { bot: main.py } }
drover: { missed: all, missedCap: 200, overlap: queueOne }
`;
const KILLS = cases(2, 4);

describe('a Python bot that counts its runs, under a controller that is killed', () => {
  let folder: string;
  let install: string;
  let env: Record<string, string>;
  let drover: DroverProcess;
  let starts: ContainerStarts;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-counter-'));
    install = newInstall();
    await mkdir(join(folder, 'counter'));
    await writeFile(join(folder, 'counter', 'main.py'), COUNTER);
    await writeFile(join(folder, 'counter', 'bot.yaml'), DOCUMENT);
    env = {
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      DROVER_DATA_DIR: join(folder, 'data'),
      INSTALL_ID: install,
      LOG_FORMAT: 'json',
    };
    starts = await watchStarts(install);
    drover = await startDrover({ port: await freePort(), env });
  });
  afterEach(async () => {
    await drover.end('SIGKILL');
    starts.close();
    await removeInstall(docker, install);
    await rm(folder, { recursive: true, force: true });
  });

  const runs = async (): Promise<readonly RunRecord[]> => {
    const { body } = await drover.call('GET', '/v1/schedules/counter/runs?limit=1000&all=true');
    return [...(body as { runs: readonly RunRecord[] }).runs].reverse();
  };
  const passed = async (): Promise<readonly PassedSlots[]> => {
    const { body } = await drover.call('GET', '/v1/schedules/counter/runs?limit=1000&all=true');
    return (body as { passed: readonly PassedSlots[] }).passed;
  };
  const started = async (): Promise<number> => (await runs()).filter(({ startedAt }) => startedAt !== null).length;
  const lastLines = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${drover.url}/v1/transitions?bot=counter`);
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    return lines.flatMap((line) => {
      const { event } = JSON.parse(line) as { event: { type: string; logTail?: readonly string[] } };
      return event.type === 'ContainerExited' ? (event.logTail ?? []).filter((one) => one.startsWith('count')) : [];
    });
  };

  it('R21, D7: the count is the number of slots, each SCHEDULED_AT once, each run one start', async () => {
    await runDrover(['apply', join(folder, 'counter')], { ...env, DROVER_URL: drover.url });
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = await started();
      await expect.poll(started).toBeGreaterThan(before);
      // At any moment of a period, also while a run goes on; and for any time there is no controller.
      await sleep(Math.random() * PERIOD_S * 1_000);
      await drover.end('SIGKILL');
      await sleep(Math.random() * 3_000);
      drover = await startDrover({ port: await freePort(), env });
    }
    await expect.poll(started).toBeGreaterThanOrEqual(2 * KILLS - 1);
    await drover.call('POST', '/v1/schedules/counter/disable', {});
    const isDone = async (): Promise<boolean> => {
      const { body } = await drover.call('GET', '/v1/schedules/counter');
      const { state, runs: going } = body as { state: string; runs: readonly unknown[] };
      return state === 'disabled' && going.length === 0;
    };
    await expect.poll(isDone, { interval: 200 }).toBe(true);

    const recorded = await runs();
    const all = recorded.filter(({ startedAt }) => startedAt !== null);
    // An engine that is still busy with what the dead one asked may refuse a start: nothing ran then, and the record says why.
    const refused = recorded.filter(({ startedAt, status }) => startedAt === null && status === 'failed');
    expect(refused.every(({ attempts, detail }) => attempts === 0 && detail !== null)).toBe(true);
    expect(refused.length).toBeLessThanOrEqual(KILLS);
    // The disabling found one on its way, or waiting for its turn.
    const left = recorded.filter(({ startedAt, status }) => startedAt === null && status !== 'failed');
    for (const { status, stopReason, detail, attempts } of left) {
      expect(attempts).toBe(0);
      expect([`stopped ${String(stopReason)}`, `dropped ${String(detail)}`]).toContain(`${status} disabled`);
    }
    expect(all.length).toBeGreaterThanOrEqual(2 * KILLS - 1);
    // No slot between the first and the last is missing: whoever was killed, they were caught up.
    const slots = all.map(({ scheduledAt }) => scheduledAt);
    // On a machine that is busy a run may last longer than a period: then a slot is told as passed, never lost.
    const skipped = await passed();
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(skipped.length === 0 ? [] : ['overlap']));
    const told = [
      ...slots,
      ...[...refused, ...left].map(({ scheduledAt }) => scheduledAt),
      ...skipped.flatMap(({ from, count }) => Array.from({ length: count }, (_, n) => from + n * PERIOD_S * 1_000)),
    ].sort((a, b) => a - b);
    expect(told).toEqual(told.map((_, n) => (told[0] ?? 0) + n * PERIOD_S * 1_000));
    const stopped = all.filter(({ status }) => status === 'stopped').length;
    expect(all.filter(({ status }) => status === 'succeeded')).toHaveLength(all.length - stopped);
    expect(stopped).toBeLessThanOrEqual(1);

    const last = (await lastLines()).at(-1) ?? '';
    const counted = JSON.parse(/all of them (\[.*\])/.exec(last)?.[1] ?? '[]') as readonly string[];
    expect(counted).toEqual(slots.slice(0, counted.length).map((slot) => new Date(slot).toISOString()));
    // The last run may have been ended by the disabling before it counted.
    expect(counted.length).toBeGreaterThanOrEqual(all.length - stopped);
    expect([...starts.byName.values()].every((count) => count === 1)).toBe(true);
    expect(starts.byName.size).toBe(all.length);
  }, 240_000);
});
