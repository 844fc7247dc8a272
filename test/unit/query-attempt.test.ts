/** Making a query container for a caller who may give up: its turn is short, and nothing of it stays. */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { expect, it } from 'vitest';
import { createLane } from '../../src/adapters/docker/lanes.ts';
import { createAttempt, VolumeVanished } from '../../src/adapters/docker/query-begin.ts';
import { QUERY_PLAN as PLAN } from '../support/query-plan.ts';

const never = new AbortController().signal;
const SETTINGS = { install: 'i', network: 'n', hostGateway: false, image: 'i', env: {}, owner: 'o' };
const ORDER = { kind: 'prepare', config: {}, state: { kind: 'volume' }, maxReplyBytes: 1_000 } as const;

interface World {
  readonly create?: (options: { abortSignal: AbortSignal }) => Promise<void>;
  readonly start?: (options: { abortSignal: AbortSignal }) => Promise<void>;
  /** Whose mount made the volume that is expected. */
  readonly volumeOf?: string;
  readonly signal?: AbortSignal;
}

/** An engine that notes what is done to it. */
const attemptIn = ({ create, start, volumeOf, signal = never }: World) => {
  const done: string[] = [];
  const container = {
    id: 'made',
    attach: () => Promise.resolve(new PassThrough()),
    start: async (options: { abortSignal: AbortSignal }) => {
      done.push('start');
      await start?.(options);
    },
  };
  const docker = {
    createContainer: async (options: { abortSignal: AbortSignal }) => {
      done.push('create');
      await create?.(options);
      return container;
    },
    getVolume: (name: string) => ({
      inspect: () => Promise.resolve({ Labels: { 'drover.made-by-query': volumeOf } }),
      remove: () => Promise.resolve(done.push(`remove volume ${name}`)),
    }),
  } as unknown as Docker;
  const remove = (what: string, mayAppear = false): Promise<void> => {
    done.push(`remove ${what}${mayAppear ? ', once it appears' : ''}`);
    return Promise.resolve();
  };
  const mounts = { mounts: [], state: { kind: 'volume' }, expected: volumeOf === undefined ? [] : ['v'] } as const;
  const options = { name: 'name', mounts, order: ORDER, signal };
  return { attempt: createAttempt({ ...SETTINGS, docker, remove }, PLAN, options), done };
};

it('given up before its turn asks the engine for nothing, and there is nothing to be undone', async () => {
  const reason = new Error('gone');
  const { attempt, done } = attemptIn({ signal: AbortSignal.abort(reason) });
  await expect(attempt.begin(never)).rejects.toBe(reason);
  await attempt.undo();
  expect(done).toEqual([]);
});

it('given up while it is made is seen to its end, so that it is known what is to be removed', async () => {
  const abort = new AbortController();
  let isBrokenOff = false;
  const { attempt, done } = attemptIn({
    signal: abort.signal,
    create: async ({ abortSignal }) => {
      abort.abort(new Error('gone'));
      await sleep(10);
      isBrokenOff = abortSignal.aborted;
    },
  });
  await expect(attempt.begin(never)).rejects.toThrow();
  await attempt.undo();
  expect(isBrokenOff).toBe(false);
  expect(done).toEqual(['create', 'remove made']);
});

it('given up while it starts is broken off and removed', async () => {
  const abort = new AbortController();
  const { attempt, done } = attemptIn({
    signal: abort.signal,
    start: ({ abortSignal }) => {
      abort.abort(new Error('gone'));
      return abortSignal.aborted ? Promise.reject(new Error('aborted')) : Promise.resolve();
    },
  });
  await expect(attempt.begin(never)).rejects.toThrow('aborted');
  await attempt.undo();
  expect(done).toEqual(['create', 'start', 'remove made']);
});

it.each([
  ['nobody answered may still appear', {}, ['create', 'remove name, once it appears']],
  ['the engine refused never was', { statusCode: 500 }, ['create']],
])('one that %s', async (_name, how, expected) => {
  const create = (): Promise<void> => Promise.reject(Object.assign(new Error('no'), how));
  const { attempt, done } = attemptIn({ create });
  await expect(attempt.begin(never)).rejects.toThrow('no');
  await attempt.undo();
  expect(done).toEqual(expected);
});

it('undone takes with it the volume that its mount made', async () => {
  const { attempt, done } = attemptIn({ volumeOf: 'name' });
  await expect(attempt.begin(never)).rejects.toBeInstanceOf(VolumeVanished);
  await attempt.undo();
  expect(done).toEqual(['create', 'remove made', 'remove volume v']);
});

it('undone waits for what is still under way', async () => {
  const late = new AbortController();
  const create = ({ abortSignal }: { abortSignal: AbortSignal }): Promise<void> =>
    new Promise((_resolve, reject) => {
      abortSignal.addEventListener('abort', () => {
        reject(new Error('late'));
      });
    });
  const { attempt, done } = attemptIn({ create });
  const begun = attempt.begin(late.signal);
  const undone = attempt.undo();
  expect(done).toEqual(['create']);
  late.abort();
  await expect(begun).rejects.toThrow('late');
  await undone;
  expect(done).toEqual(['create', 'remove name, once it appears']);
});

it('who gives up while he waits for a turn leaves at once, and keeps it from nobody', async () => {
  const lane = createLane({ name: 'test', width: 1, deadlineMs: 5_000 });
  let finish: () => void = () => undefined;
  const first = lane(() => new Promise<void>((resolve) => (finish = resolve)));
  const abort = new AbortController();
  const reason = new Error('gone');
  let hasBegun = false;
  const begin = (): Promise<void> => {
    hasBegun = true;
    return Promise.resolve();
  };
  const second = lane(begin, { unless: abort.signal });
  const third = lane(() => Promise.resolve('third'), { unless: never });
  abort.abort(reason);
  await expect(second).rejects.toBe(reason);
  await expect(lane(begin, { unless: abort.signal })).rejects.toBe(reason);
  finish();
  await first;
  expect(await third).toBe('third');
  expect(hasBegun).toBe(false);
  expect(await lane(() => Promise.resolve('free'))).toBe('free');
});
