/** Opening a query container for a caller who gives up: its place is free when nothing of it is left, and nobody waits for ever. */
import type Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { createLane } from '../../src/adapters/docker/lanes.ts';
import { openQuery, type QueryOpening } from '../../src/adapters/docker/query-open.ts';
import type { QueryPlan } from '../../src/ports/query-containers.ts';
import { QUERY_PLAN } from '../support/query-plan.ts';

const PLAN: QueryPlan = { ...QUERY_PLAN, avoidVolume: true };

/** With an engine that makes containers as it is told here. */
const openingWith = (create: () => Promise<{ id: string }>, done: string[]): QueryOpening => ({
  install: 'i',
  network: 'n',
  hostGateway: false,
  image: 'i',
  env: {},
  owner: 'o',
  docker: {
    createContainer: create,
  } as unknown as Docker,
  access: { kind: 'keys', accessFor: () => Promise.resolve({ kind: 'folder', path: '/' }) } as never,
  codeCache: { ensure: () => Promise.resolve(), forget: () => undefined },
  pull: () => Promise.resolve(),
  starts: createLane({ name: 'test', width: 1, deadlineMs: 60_000 }),
  remove: (what) => {
    done.push(`removed ${what}`);
    return Promise.resolve();
  },
});

describe('opening a query container', () => {
  const reason = new Error('gave up');
  it('that was given up is over once it was made and removed', async () => {
    const done: string[] = [];
    const abort = new AbortController();
    let answer: (made: { id: string }) => void = () => undefined;
    const create = (): Promise<{ id: string }> => {
      abort.abort(reason);
      return new Promise((resolve) => (answer = resolve));
    };
    const opening = openQuery(openingWith(create, done), PLAN, 'name', abort.signal).catch((thrown: unknown) => {
      done.push('over');
      return thrown;
    });
    await expect.poll(() => abort.signal.aborted).toBe(true);
    done.push('made');
    answer({ id: 'c' });
    expect(await opening).toBe(reason);
    expect(done).toEqual(['made', 'removed c', 'over']);
  });
  it('that was given up does not wait for an engine that gives no answer', { timeout: 20_000 }, async () => {
    const abort = new AbortController();
    const create = (): Promise<never> => {
      abort.abort(reason);
      return new Promise(() => undefined);
    };
    await expect(openQuery(openingWith(create, []), PLAN, 'name', abort.signal)).rejects.toBe(reason);
  });
});
