/** What waits is folded per bot: a replayed history starts nothing that its end deletes (contract §2, fault R5). */
import { describe, expect, it } from 'vitest';
import { foldWishes, type WishMessage } from '../../src/controllers/fold-wishes.ts';
import type { Wish } from '../../src/ports/spec-store.ts';

const content = (n: number) => ({ config: { n }, custom: {} });
type Step = ['c' | 'u', number] | ['d'];
const c = (n: number): Step => ['c', n];
const u = (n: number): Step => ['u', n];
const d: Step = ['d'];

const messages = (steps: readonly Step[], kept: boolean): WishMessage[] =>
  steps.map(([kind, n], index) => {
    const message = {
      subject: 's',
      data: new Uint8Array(),
      at: index,
      ...(kept ? { position: { stream: 'S', sequence: index + 1 } } : {}),
    };
    if (kind === 'd') return { decoded: { kind: 'deleted', id: 'a' }, message };
    return { decoded: { kind: kind === 'c' ? 'created' : 'updated', id: 'a', content: content(n) }, message };
  });
const wishesOf = (steps: readonly Step[], kept = true): readonly Wish[] =>
  (foldWishes(messages(steps, kept)).get('a') ?? []).map(({ wish }) => wish);

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
    expect(wishesOf(steps)).toEqual([wish]);
  });
  it('as many as they are, where no stream keeps them: each finds the document that the one before it left', () => {
    expect(wishesOf([u(1), c(2), d, u(3)], false)).toEqual([
      { kind: 'update', content: content(1) },
      { kind: 'create', content: content(2) },
      { kind: 'delete' },
      { kind: 'update', content: content(3) },
    ]);
  });
  it('one wish a bot, with the place of its last message and the message that made it', () => {
    const [first, second, third] = messages([u(1), c(2), d], true) as [WishMessage, WishMessage, WishMessage];
    const folded = foldWishes([first, second, { ...third, decoded: { kind: 'deleted', id: 'b' } }]);
    expect([...folded.keys()]).toEqual(['a', 'b']);
    expect(folded.get('a')).toMatchObject([{ by: { position: { sequence: 1 } }, last: { position: { sequence: 2 } } }]);
  });
});
