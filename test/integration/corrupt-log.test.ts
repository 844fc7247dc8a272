/** A bot whose log cannot be folded, on a real engine (case F7). */
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../scripts/until.ts';
import { startSpine, type Spine } from '../support/spine.ts';

let spine: Spine;
afterAll(() => spine.end());

describe('case F7: a log that cannot be folded', () => {
  it('case F7: is shown as unknown with the position, its container goes on, and the others are kept', async () => {
    spine = await startSpine();
    await spine.deploy('bad');
    await spine.deploy('good');
    const bad = await spine.reaches('bad', 'running');
    await spine.reaches('good', 'running');
    const { install, dataDir, stores } = spine;
    await spine.drover.stop(8_000);
    // Something that cannot have happened: the bot is not stopped.
    const commits = await stores.events.read('bot:bad', 1);
    const version = commits.at(-1)?.to ?? 0;
    const illegal = { type: 'BotStopped', schema: 1, data: { at: Date.now() } };
    const { position } = await stores.offices.bots.events.append({
      stream: 'bot:bad',
      expectedVersion: version,
      events: [illegal],
      causes: [],
    });
    await stores.close();
    spine = await startSpine({ install, dataDir, resyncIntervalMs: 1_000 });
    const shown = await until(() => (spine.bot('bad')?.state === 'unknown' ? spine.bot('bad') : undefined), {
      otherwise: () => JSON.stringify(spine.bot('bad')),
    });
    expect(shown.status).toBe('unknown');
    const corrupt = shown.conditions.find(({ type }) => type === 'LogCorrupt');
    expect(corrupt).toMatchObject({ status: 'True', reason: 'EventIllegal' });
    expect(corrupt?.message).toContain(`event ${String(version + 1)} of bot:bad, position ${String(position)}`);
    expect(spine.drover.states.list().map(({ botId }) => botId)).toEqual(['bad', 'good']);
    // The others go on, and nobody touches the container of the one that nobody knows.
    await spine.put('good', spine.document('good', { config: { enabled: false } }));
    await spine.reaches('good', 'stopped');
    const [container] = await spine.containers('bad');
    expect(container).toMatchObject({ Id: bad.containerId, State: 'running' });
  });
});
