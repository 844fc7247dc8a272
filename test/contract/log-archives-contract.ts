/** What every store of day files must do (contract §4). An adapter runs it by handing in how to open and to read one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogArchives } from '../../src/ports/log-archives.ts';

export interface LogArchivesFixture {
  /** The same store again, as another process opens it. */
  open(): LogArchives;
  /** Undefined when there is no such day. */
  content(day: string): Promise<Buffer | undefined>;
  /** What somebody else writes in its place. */
  overwrite(day: string, content: Buffer): Promise<void>;
  close(): Promise<void>;
}

const DAY = '20260131';
const A = 'a'.repeat(16);
const B = 'b'.repeat(16);
const MIB = 1024 ** 2;

const lines = (from: number, to: number, width = 0): Buffer =>
  Buffer.from(
    Array.from({ length: to - from }, (_none, index) => `{"n":${String(from + index)}}`.padEnd(width) + '\n').join(''),
  );

export const logArchivesContract = (name: string, make: () => Promise<LogArchivesFixture>): void => {
  describe(`log archives contract: ${name}`, () => {
    let fixture: LogArchivesFixture;
    let archives: LogArchives;
    beforeEach(async () => {
      fixture = await make();
      archives = fixture.open();
    });
    afterEach(() => fixture.close());
    const text = async (day = DAY): Promise<string> => ((await fixture.content(day)) ?? Buffer.of()).toString();

    it('appends in order, each day to a file of its own', async () => {
      expect(await fixture.content(DAY)).toBeUndefined();
      expect(await archives.append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3))).toBe(10);
      expect(await archives.append(DAY, { stream: A, from: 10, to: 20 }, lines(3, 5))).toBe(20);
      expect(await archives.append('20260201', { stream: A, from: 20, to: 30 }, lines(5, 7))).toBe(30);
      expect(await fixture.open().append(DAY, { stream: A, from: 30, to: 40 }, lines(7, 8))).toBe(40);
      expect(await text()).toBe(Buffer.concat([lines(0, 5), lines(7, 8)]).toString());
      expect(await text('20260201')).toBe(lines(5, 7).toString());
    });

    it('appends nothing twice, and tells how far it is', async () => {
      await archives.append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3));
      expect(await fixture.open().append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3))).toBe(10);
      expect(await archives.append(DAY, { stream: A, from: 0, to: 99 }, lines(0, 9))).toBe(10);
      expect(await archives.append(DAY, { stream: A, from: 10, to: 99 }, lines(3, 9))).toBe(99);
      expect(await text()).toBe(lines(0, 9).toString());
    });

    it('takes the output of another volume as what it is: other lines', async () => {
      await archives.append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3));
      expect(await archives.append(DAY, { stream: B, from: 0, to: 5 }, lines(3, 4))).toBe(5);
      expect(await text()).toBe(lines(0, 4).toString());
    });

    it('keeps what somebody else wrote, and appends after it', async () => {
      await archives.append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3));
      await fixture.overwrite(DAY, lines(100, 105));
      expect(await archives.append(DAY, { stream: A, from: 10, to: 20 }, lines(3, 4))).toBe(20);
      expect(await text()).toBe(Buffer.concat([lines(100, 105), lines(3, 4)]).toString());
      await fixture.overwrite('20260201', Buffer.from('no newline'));
      await archives.append('20260201', { stream: A, from: 20, to: 30 }, lines(4, 5));
      expect(await text('20260201')).toBe(`no newline\n${lines(4, 5).toString()}`);
    });

    it('grows from nothing over 5 MiB and on, by long and by short pieces', async () => {
      const pieces = [3, 4, 1, 0.001, 6, 0.01].map((mib) => Math.round(mib * 1024));
      let at = 0;
      for (const count of pieces) {
        expect(await archives.append(DAY, { stream: A, from: at, to: at + count }, lines(at, at + count, 1023))).toBe(
          at + count,
        );
        expect(await archives.append(DAY, { stream: A, from: at, to: at + count }, lines(at, at + count, 1023))).toBe(
          at + count,
        );
        at += count;
      }
      const content = (await fixture.content(DAY)) ?? Buffer.of();
      expect(content.length).toBeGreaterThan(13 * MIB);
      expect(content.equals(lines(0, at, 1023))).toBe(true);
    });

    it('keeps what somebody else wrote over 5 MiB', async () => {
      await archives.append(DAY, { stream: A, from: 0, to: 10 }, lines(0, 3));
      const others = Buffer.concat([lines(0, 6 * 1024, 1023), Buffer.from('no newline')]);
      await fixture.overwrite(DAY, others);
      expect(await archives.append(DAY, { stream: A, from: 10, to: 20 }, lines(3, 4))).toBe(20);
      expect((await fixture.content(DAY))?.equals(Buffer.concat([others, Buffer.from('\n'), lines(3, 4)]))).toBe(true);
      expect(await archives.append(DAY, { stream: A, from: 10, to: 20 }, lines(3, 4))).toBe(20);
      expect((await fixture.content(DAY))?.length).toBe(others.length + 1 + lines(3, 4).length);
    });
  });
};
