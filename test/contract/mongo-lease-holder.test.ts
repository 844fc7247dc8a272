/** A holder of the lease that was killed on this host is not waited for; one that lives, or lives elsewhere, is (case F5). */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openProcessMarks, type ProcessMarks } from '../../src/adapters/common/process-mark.ts';
import { createMongoLeadership } from '../../src/adapters/mongo/mongo-leadership.ts';
import type { Leadership } from '../../src/ports/leadership.ts';
import { childProgram } from '../support/child-program.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

/** Longer than a test may take: whoever leads after another has not waited for the end of a lease. */
const LEASE_MS = 600_000;
const PROGRAM = fileURLToPath(new URL('hold-lease.ts', import.meta.url));

describe.skipIf(MONGO_URI === undefined)('the holder of a lease on MongoDB', () => {
  let scratch: MongoScratch;
  let marks: ProcessMarks;
  const children: ChildProcess[] = [];
  const open: Leadership[] = [];
  beforeEach(async () => {
    scratch = await mongoScratch();
    marks = await openProcessMarks();
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await Promise.all(open.splice(0).map((lease) => lease.stop()));
    marks.close();
    await scratch.close();
  });

  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  /** A process that leads. */
  const holder = async (): Promise<ChildProcess> => {
    const { uri, database, botsDatabase } = scratch;
    const args = [childProgram(PROGRAM), uri, database, botsDatabase, String(LEASE_MS)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(line).toBe('leads');
    return child;
  };
  const candidate = (told: Pick<ProcessMarks, 'own' | 'hasEnded'> = marks) => {
    let looks = 0;
    const lease = createMongoLeadership(scratch.connect(), {
      role: 'r',
      holder: 'second',
      logger: silentLogger,
      marks: told,
      verify: () => {
        looks += 1;
        return Promise.resolve();
      },
      leaseMs: LEASE_MS,
      renewMs: 50,
    });
    open.push(lease);
    lease.start();
    const looksAgain = async (): Promise<void> => {
      const target = looks + 5;
      await expect.poll(() => looks).toBeGreaterThanOrEqual(target);
    };
    return { lease, looksAgain };
  };
  const leadsNow = (lease: Leadership): Promise<void> => expect.poll(() => lease.epoch()).toBe(2);

  it('case F5: one that was killed before the next starts is followed at its first look', async () => {
    await kill(await holder());
    const { lease } = candidate();
    await leadsNow(lease);
  });

  it('case F5: one that is killed under a standby is followed, and one that is only frozen is not', async () => {
    const child = await holder();
    const { lease, looksAgain } = candidate();
    await expect.poll(() => lease.isHeld()).toBe(true);
    child.kill('SIGSTOP');
    await looksAgain();
    expect(lease.epoch()).toBeUndefined();
    child.kill('SIGCONT');
    await looksAgain();
    expect(lease.epoch()).toBeUndefined();
    await kill(child);
    await leadsNow(lease);
  });

  it('case F5: one that ended elsewhere is waited for, and until it renews its lease nobody is said to act', async () => {
    await kill(await holder());
    const row = scratch.mongo.ours.collection<{ _id: string; process: { place: string } }>('leases');
    await row.updateOne({ _id: 'r' }, { $set: { 'process.place': 'another boot net:[1]' } });
    const { lease, looksAgain } = candidate();
    await looksAgain();
    expect(lease.epoch()).toBeUndefined();
    expect(lease.holder()).toMatch(/^child-/);
    expect(lease.isHeld()).toBe(false);
  });

  it('case F5: what an older drover took over is not judged by the mark of its predecessor', async () => {
    await kill(await holder());
    // It knows nothing of marks, and so leaves the one that is there.
    const rows = scratch.mongo.ours.collection<{ _id: string; holder: string }>('leases');
    await rows.updateOne({ _id: 'r' }, { $set: { holder: 'older' } });
    const { lease, looksAgain } = candidate();
    await looksAgain();
    expect(lease.epoch()).toBeUndefined();
  });
});

describe('the mark of a process', () => {
  it('case F5: is known while its process lives, and only where it lives', async () => {
    const [mine, theirs] = await Promise.all([openProcessMarks(), openProcessMarks()]);
    const mark = theirs.own();
    expect(mark).toBeDefined();
    if (mark === undefined) return;
    expect(await mine.hasEnded(mark)).toBe(false);
    expect(await mine.hasEnded({ ...mark, place: 'elsewhere' })).toBe(false);
    theirs.close();
    await expect.poll(() => mine.hasEnded(mark)).toBe(true);
    expect(await mine.hasEnded({ ...mark, place: 'elsewhere' })).toBe(false);
    mine.close();
  });
});
