/** What waits is folded per bot: a replayed history starts nothing that its end deletes (contract §2, fault R5). */
import { describe, expect, it } from 'vitest';
import { foldWishes, LATE_MS, type WishMessage } from '../../src/controllers/fold-wishes.ts';
import type { Wish } from '../../src/ports/spec-store.ts';

const content = (n: number) => ({ config: { n }, custom: {} });
type Step = ['c' | 'u', number] | ['d'];
const c = (n: number): Step => ['c', n];
const u = (n: number): Step => ['u', n];
const d: Step = ['d'];

const messages = (steps: readonly Step[], kept: boolean, apartMs = 1): WishMessage[] =>
  steps.map(([kind, n], index) => {
    const message = {
      subject: 's',
      data: new Uint8Array(),
      at: index * apartMs,
      ...(kept ? { position: { stream: 'S', sequence: index + 1 } } : {}),
    };
    if (kind === 'd') return { decoded: { kind: 'deleted', id: 'a' }, message };
    return { decoded: { kind: kind === 'c' ? 'created' : 'updated', id: 'a', content: content(n) }, message };
  });
const wishOf = (steps: readonly Step[], kept = true, apartMs = 1): Wish | undefined =>
  foldWishes(messages(steps, kept, apartMs)).get('a')?.wish;

describe('messages of one bot fold to', () => {
  it.each<[readonly Step[], Wish]>([
    [[c(1)], { kind: 'create', content: content(1) }],
    [[u(1)], { kind: 'update', content: content(1) }],
    [[d], { kind: 'delete' }],
    [[c(1), c(2)], { kind: 'create', content: content(1) }],
    [[c(1), u(2)], { kind: 'update', content: content(2) }],
    [[u(1), c(2)], { kind: 'update', content: content(1) }],
    [[u(1), u(2), u(3)], { kind: 'update', content: content(3) }],
    [[c(1), u(2), d], { kind: 'delete' }],
    [[d, c(1)], { kind: 'replace', content: content(1) }],
    [[c(1), d, c(2)], { kind: 'replace', content: content(2) }],
    [[d, c(1), u(2)], { kind: 'replace', content: content(2) }],
    [[d, c(1), c(2)], { kind: 'replace', content: content(1) }],
    [[d, c(1), d], { kind: 'delete' }],
    [[d, u(1)], { kind: 'replace', content: content(1) }],
  ])('%j', (steps, wish) => {
    expect(wishOf(steps)).toEqual(wish);
  });
  it('a deletion, when an update without a place in a stream follows within a minute', () => {
    expect(wishOf([d, u(1)], false)).toEqual({ kind: 'delete' });
    expect(wishOf([d, u(1)], false, LATE_MS)).toEqual({ kind: 'replace', content: content(1) });
    expect(wishOf([d, c(1), u(2)], false)).toEqual({ kind: 'replace', content: content(2) });
  });
  it('one wish a bot, with the place of its last message and the message that made it', () => {
    const [first, second, third] = messages([u(1), c(2), d], true) as [WishMessage, WishMessage, WishMessage];
    const folded = foldWishes([first, second, { ...third, decoded: { kind: 'deleted', id: 'b' } }]);
    expect([...folded.keys()]).toEqual(['a', 'b']);
    expect(folded.get('a')).toMatchObject({ by: { position: { sequence: 1 } }, last: { position: { sequence: 2 } } });
  });
});
