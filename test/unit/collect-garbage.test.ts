/** What may go and what stays, decided purely: the grace, the threshold, the install, and keys that look like others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeGarbage, type GarbageFacts, type GarbageVerdict } from '../../src/controllers/collect-garbage.ts';
import {
  decodeGarbageNote,
  encodeGarbageNote,
  GARBAGE_NOTE_KEY,
  ownerOfKey,
  prefixOfId,
} from '../../src/domain/garbage.ts';
import { cases } from '../support/full.ts';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

const facts = (more: Partial<GarbageFacts> = {}): GarbageFacts => ({
  now: NOW,
  graceMs: 24 * HOUR,
  force: false,
  installId: 'i',
  wished: new Set(),
  found: new Set(),
  ...more,
});
const judged = (given: GarbageFacts): Extract<GarbageVerdict, { kind: 'judged' }> => {
  const verdict = judgeGarbage(given);
  if (verdict.kind !== 'judged') throw new Error(verdict.kind);
  return verdict;
};
const note = (absent: Iterable<readonly [string, number]>, installId = 'i') => ({ installId, absent: new Map(absent) });

describe('the judgement', () => {
  it('lets an id go only when it was seen absent for the whole grace', () => {
    const found = new Set(['a']);
    expect(judged(facts({ found }))).toMatchObject({ due: [], waits: new Map([['a', NOW + 24 * HOUR]]) });
    expect(judged(facts({ found, note: note([['a', NOW - 24 * HOUR + 1]]) })).due).toEqual([]);
    const ripe = judged(facts({ found, note: note([['a', NOW - 24 * HOUR]]) }));
    expect(ripe.due).toEqual(['a']);
    // Back again after it went, it has a whole grace before it.
    expect(ripe.note.absent.size).toBe(0);
    expect(judged(facts({ found, graceMs: 0 })).due).toEqual(['a']);
  });
  it('begins the grace anew for one that came back', () => {
    const back = judged(facts({ found: new Set(['a']), wished: new Set(['a']), note: note([['a', 0]]) }));
    expect(back.note.absent.size).toBe(0);
    expect(judged(facts({ found: new Set(['a']), note: back.note })).due).toEqual([]);
  });
  it('takes a time in the future for now', () => {
    const { due, note: next } = judged(facts({ found: new Set(['a']), note: note([['a', NOW + 999 * HOUR]]) }));
    expect([due, next.absent.get('a')]).toEqual([[], NOW]);
  });
  it('judges nothing for another install', () => {
    const given = facts({ found: new Set(['a']), note: note([['a', 0]], 'other'), force: true, graceMs: 0 });
    expect(judgeGarbage(given)).toEqual({ kind: 'otherInstall', noted: 'other' });
  });
  it.each([
    [3, 0, 3],
    [4, 0, 0],
    [10, 90, 10],
    [11, 89, 0],
  ])('of %d that are due beside %d wished, %d go', (ripe, wished, go) => {
    const ids = (count: number, name: string) =>
      new Set(Array.from({ length: count }, (_, i) => `${name}${String(i)}`));
    const given = facts({ found: ids(ripe, 'o'), wished: ids(wished, 'w'), graceMs: 0 });
    const verdict = judged(given);
    expect([verdict.due.length, verdict.refused.length]).toEqual([go, go === 0 ? ripe : 0]);
    expect(judged({ ...given, force: true }).due).toHaveLength(ripe);
    // Refused ones keep the time that they were seen first.
    if (go === 0) expect(verdict.note.absent.size).toBe(ripe);
  });

  const id = fc.oneof(fc.constantFrom('a', 'b', 'c', 'logs', '__proto__', 'constructor', 'ü 雪', '..'), fc.string());
  const ids = fc.array(id, { maxLength: 40 }).map((all) => new Set(all));
  const anyFacts = fc.record({
    now: fc.integer({ min: 0, max: 2 ** 45 }),
    graceMs: fc.integer({ min: 0, max: 48 * HOUR }),
    force: fc.boolean(),
    installId: fc.constant('i'),
    wished: ids,
    found: ids,
    note: fc.option(
      fc.record({
        installId: fc.constantFrom('i', 'j'),
        absent: fc.array(fc.tuple(id, fc.integer({ min: 0, max: 2 ** 45 }))).map((pairs) => new Map(pairs)),
      }),
      { nil: undefined },
    ),
  });
  it('never, whatever it is told, lets a wished, unseen or fresh id go, nor many unforced', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const verdict = judgeGarbage(given);
        if (given.note?.installId === 'j') return verdict.kind === 'otherInstall';
        if (verdict.kind !== 'judged') return false;
        const { due, refused, waits, note: next, limit } = verdict;
        for (const gone of due) {
          expect(given.wished.has(gone)).toBe(false);
          expect(given.found.has(gone)).toBe(true);
          // A time in the future counts as now, so only no grace at all lets one go.
          const since = Math.min(given.note?.absent.get(gone) ?? given.now, given.now);
          expect(given.now - since).toBeGreaterThanOrEqual(given.graceMs);
          expect(next.absent.has(gone)).toBe(false);
        }
        if (!given.force) expect(due.length).toBeLessThanOrEqual(limit);
        expect(limit).toBeGreaterThanOrEqual(3);
        // Everything found is wished, or has exactly one fate.
        const fates = [...due, ...refused, ...waits.keys()];
        expect(new Set(fates).size).toBe(fates.length);
        expect(new Set(fates)).toEqual(new Set([...given.found].filter((one) => !given.wished.has(one))));
        // Stored and read again it is the same; judged again at the same time nothing ripens.
        const stored = decodeGarbageNote(encodeGarbageNote(next));
        expect(stored.absent).toEqual(new Map([...next.absent].sort(([a], [b]) => (a < b ? -1 : 1))));
        const again = judged({
          ...given,
          note: stored,
          found: new Set(stored.absent.keys()),
          graceMs: Number.MAX_SAFE_INTEGER,
        });
        expect(again.due).toEqual([]);
        return true;
      }),
      { numRuns: cases(250, 1_000) },
    );
  });
});

describe('the note', () => {
  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"schema":2}',
    '{"schema":1,"installId":"i"}',
    '{"schema":1,"installId":"i","absent":[{"id":1,"since":2}]}',
    '{"schema":1,"installId":"i","absent":[{"id":"a","since":"2"}]}',
  ])('that is %j is refused, not guessed at', (text) => {
    expect(() => decodeGarbageNote(text)).toThrow(/drover-gc\.json.*remove it/);
  });
});

describe('keys', () => {
  it.each([
    ['logs', 'logs/a/20260101.log', 'a', false],
    ['logs', 'logs/logs/20260101.log', 'logs', false],
    ['logs', 'logs/a/.tmp-17', 'a', true],
    ['logs', 'logs/ü 雪\n/20260101.log', 'ü 雪\n', false],
    ['state', 'a/state.tar.gz', 'a', false],
    ['state', 'logs/state.tar.gz', 'logs', false],
    ['state', 'a/restore.json', 'a', false],
    ['state', '__proto__/a0000000001/s0000000002.tar.gz', '__proto__', false],
    ['state', 'a/a0000000001/s0000000002.json', 'a', false],
  ] as const)('%s: %j belongs to %j', (bucket, key, id, temporary) => {
    expect(ownerOfKey(bucket, key)).toEqual({ id, temporary });
    expect(key.startsWith(prefixOfId(bucket, id))).toBe(true);
  });
  it.each([
    ['state', GARBAGE_NOTE_KEY],
    ['state', 'state.tar.gz'],
    ['state', '/state.tar.gz'],
    ['state', '../state.tar.gz'],
    ['state', './state.tar.gz'],
    ['state', 'a/b/state.tar.gz'],
    ['state', 'a/state.tar.gz.bak'],
    ['state', 'a/state.tar.gz\n'],
    ['state', 'a/notes.txt'],
    ['state', 'a/a1/s1.json'],
    ['state', 'a/a0000000001/s0000000002.zip'],
    ['state', 'logs/a/20260101.log'],
    ['logs', 'logs/../20260101.log'],
    ['logs', 'logs/a/b/20260101.log'],
    ['logs', 'logs/a/b/.tmp-1'],
    ['logs', 'logs/.tmp-1'],
    ['logs', 'logs/a/2026.log'],
    ['logs', 'logs/a/20260101.log.gz'],
    ['logs', 'logs//20260101.log'],
    ['logs', 'a/20260101.log'],
    ['logs', 'xlogs/a/20260101.log'],
    ['logs', 'a/state.tar.gz'],
  ] as const)('%s: %j is nobody’s, and never touched', (bucket, key) => {
    expect(ownerOfKey(bucket, key)).toBeUndefined();
  });
});
