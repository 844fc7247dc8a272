/** What every store of dead letters must do (fault R1). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetter, DeadLetterStore } from '../../src/ports/dead-letter-store.ts';

export interface DeadLetterFixture {
  readonly store: DeadLetterStore;
  close(): Promise<void>;
}

const letter = (at: number, sequence?: number): DeadLetter => ({
  subject: 'the0.bot.created',
  at,
  reason: 'not JSON',
  size: 3,
  data: 'YWJj',
  ...(sequence === undefined ? {} : { position: { stream: 'S@1', sequence } }),
});

export const deadLetterContract = (name: string, open: () => Promise<DeadLetterFixture>): void => {
  describe(`dead letter contract: ${name}`, () => {
    let fixture: DeadLetterFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    it('keeps letters, newest first, one of a stream once', async () => {
      const { store } = fixture;
      expect(await store.list(10)).toEqual([]);
      for (const entry of [letter(1, 7), letter(2), letter(3), letter(1, 7)]) await store.add(entry);
      expect(await store.list(10)).toEqual([letter(3), letter(2), letter(1, 7)]);
      expect(await store.list(1)).toEqual([letter(3)]);
    });
  });
};
