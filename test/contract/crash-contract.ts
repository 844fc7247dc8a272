/** kill -9 between any two appends: what was acknowledged is there, and the log is whole. */
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../src/ports/event-store.ts';
import { cases } from '../support/full.ts';
import { FENCE, oneTo } from './commits.ts';

export interface CrashFixture {
  /** A process that appends without end (`append-forever.ts`) and prints each acknowledged commit as JSON, one a line. */
  spawnWriter(): ChildProcess;
  /** The same log, after the writer has died. */
  open(): Promise<{
    readonly store: EventStore;
    /** Undefined when the chain of hashes holds, else what is wrong. */
    chainFault(): Promise<string | undefined>;
    close(): Promise<void>;
  }>;
  close(): Promise<void>;
}

/** What the writer prints. */
export interface Acknowledged {
  readonly position: number;
  readonly hash: string;
}

const ROUNDS = cases(4, 10);

/** Lets the writer come to a random number of acknowledgements, then kills it at a random moment. */
const runAndKill = async (child: ChildProcess): Promise<readonly Acknowledged[]> => {
  if (child.stdout === null) throw new Error('the writer has no output');
  const acknowledged: Acknowledged[] = [];
  const enough = 1 + Math.floor(Math.random() * cases(100, 300));
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(JSON.parse(line) as Acknowledged);
    if (acknowledged.length === enough) void sleep(Math.random() * 4).then(() => child.kill('SIGKILL'));
  }
  const [, signal] = (await ended) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return acknowledged;
};

/** `inFlight`: how many appends the writer has under way at most. */
export const crashContract = (name: string, open: () => Promise<CrashFixture>, inFlight: number): void => {
  describe(`kill -9 contract: ${name}`, () => {
    let fixture: CrashFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    it(`keeps every acknowledged commit over ${String(ROUNDS)} kills on one log`, async () => {
      const hashes = new Map<number, string>();
      for (const round of oneTo(ROUNDS)) {
        for (const { position, hash } of await runAndKill(fixture.spawnWriter())) hashes.set(position, hash);
        const log = await fixture.open();
        const { store } = log;
        const commits = await store.readAll(0, Number.MAX_SAFE_INTEGER);
        expect(commits.map((commit) => commit.position)).toEqual(oneTo(await store.head()));
        for (const [position, hash] of hashes)
          expect(commits[position - 1]?.hash, `position ${String(position)}`).toBe(hash);
        const written = commits.filter(({ writer }) => writer !== FENCE);
        expect(written.length - hashes.size).toBeLessThanOrEqual(round * inFlight);
        for (const [stream, version] of await store.streams()) {
          const versions = commits.filter((commit) => commit.stream === stream).flatMap((commit) => commit.events);
          expect(versions).toHaveLength(version);
        }
        expect(await log.chainFault()).toBeUndefined();
        await log.close();
      }
      expect(hashes.size).toBeGreaterThanOrEqual(ROUNDS);
    });
  });
};
