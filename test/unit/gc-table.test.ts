/** What `drover gc` prints: names are other people's text. */
import { describe, expect, it } from 'vitest';
import { garbageTable, shownName } from '../../src/cli/gc.ts';

const report = { dryRun: true, objects: 12, ids: 3, wished: 2, items: [] };

describe('the table of gc', () => {
  it('says that there is nothing', () => {
    expect(garbageTable(report)).toBe('examined 12 objects of 3 ids; the spec store has 2 ids; nothing to remove');
  });
  it('shows each item, its fate and the end of its grace', () => {
    const sum = { objects: 2, bytes: 30 };
    const text = garbageTable({
      ...report,
      items: [
        { kind: 'orphan', name: 'a', fate: 'wouldRemove', ...sum },
        { kind: 'orphan', name: 'b', fate: 'waits', until: 0, ...sum },
      ],
    });
    expect(text).toMatch(/orphan.*a.*2.*30.*would be removed/);
    expect(text).toMatch(/orphan.*b.*waits.*until 1970-01-01T00:00:00.000Z/);
  });
  it.each(['\u001b[2J', 'a\nb', 'a\u202eb', 'a\u0000', '', ' a', '"a"', 'a\u200bb'])(
    'shows %j without what moves a cursor or hides',
    (name) => {
      expect(shownName(name)).toMatch(/^"[^\p{C}]*"$/u);
      expect(shownName(name)).not.toMatch(/[\u2028\u2029\u202e]/);
    },
  );
  it.each(['a', 'ü', '雪', '..', 'logs/a/.tmp-1'])('shows %j as it is', (name) => {
    expect(shownName(name)).toBe(name);
  });
});
