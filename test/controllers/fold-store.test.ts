/** A state that may be older than its log is shown as it was last known, and is read anew before anything is planned on it. */
import { describe, expect, it } from 'vitest';
import { createServiceState } from '../../src/controllers/service-state.ts';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { BOT_STREAMS } from '../../src/domain/streams.ts';
import { toStored } from '../../src/machines/upcast.ts';
import { log } from '../support/given.ts';
import { createMemoryEventStore } from '../support/memory-event-store.ts';
import { createMemorySnapshotStore } from '../support/memory-snapshot-store.ts';

const opened = () => {
  const store = createMemoryEventStore();
  /** Whether the log's server is away. */
  let away = false;
  /** Held back until this is done. */
  let gate: Promise<unknown> = Promise.resolve();
  const events = {
    ...store,
    read: async (...args: Parameters<typeof store.read>) => {
      if (away) throw new DroverError('STORE_UNAVAILABLE', 'it does not answer');
      const read = await store.read(...args);
      await gate;
      return read;
    },
  };
  const states = createServiceState({ events, snapshots: createMemorySnapshotStore() });
  /** Another writer's commit, which nobody has told us of. */
  const append = (happened: readonly BotEvent[], expectedVersion: number) =>
    store.append({ stream: BOT_STREAMS.of('one'), expectedVersion, events: happened.map(toStored), causes: [] });
  return {
    states,
    append,
    setAway: (is: boolean) => (away = is),
    hold: (until: Promise<unknown>): void => {
      gate = until;
    },
  };
};
const more = log.stopping.slice(log.running.length);

describe('a fold that may be out of date', () => {
  it('is shown as it was while the store is away: the bot has not stopped for that', async () => {
    const { states, append, setAway } = opened();
    states.apply(await append(log.running, 0));
    setAway(true);
    states.forget('one');
    await expect(states.load('one')).rejects.toThrow('it does not answer');
    expect(states.get('one')).toMatchObject({ state: 'running', attempt: 1 });
    expect(states.list().map(({ botId }) => botId)).toEqual(['one']);
    expect(states.folds().get('one')?.state.context.wanted).toBe(true);
    expect(states.isOutdated('one')).toBe(true);
  });

  it('is read anew before anything is planned on it', async () => {
    const { states, append } = opened();
    states.apply(await append(log.running, 0));
    await append(more, log.running.length);
    expect((await states.load('one')).state.at).toBe('running');
    states.forget('one');
    expect((await states.load('one')).state.at).toBe('stopping');
    expect(states.isOutdated('one')).toBe(false);
  });

  it('is known from a gap in the commits, and takes what follows it in one piece', async () => {
    const { states, append } = opened();
    states.apply(await append(log.running, 0));
    const [first, ...rest] = more;
    if (first === undefined) throw new Error('the story has no more events');
    await append([first], log.running.length);
    states.apply(await append(rest, log.running.length + 1));
    expect(states.isOutdated('one')).toBe(true);
    expect(states.get('one')?.state).toBe('running');
    expect((await states.load('one')).state.at).toBe('stopping');
  });

  it('does not go back when commits arrive while it is read', async () => {
    const { states, append, hold } = opened();
    states.apply(await append(log.running, 0));
    states.forget('one');
    let open = (): void => undefined;
    hold(new Promise<void>((resolve) => (open = resolve)));
    const loading = states.load('one');
    states.apply(await append(more, log.running.length));
    states.forget('one');
    open();
    expect((await loading).state.at).toBe('stopping');
    // What was doubted after it had been read is still doubted.
    expect(states.isOutdated('one')).toBe(true);
  });

  it('is not noted of what is not in memory: a run that is over leaves nothing behind', async () => {
    const { states, append } = opened();
    states.apply(await append(log.running, 0));
    const last = await append(more, log.running.length);
    states.apply(last);
    states.evict('one');
    states.apply(last);
    states.forget('one');
    expect(states.isOutdated('one')).toBe(false);
    expect((await states.load('one')).state.at).toBe('stopping');
  });
});
