/** A corpus of messages that are none (fault R1): not JSON, wrong types, 0 bytes, 1 MB, deep nesting, `__proto__` keys. */

export interface MalformedMessage {
  readonly kind: 'created' | 'updated' | 'deleted';
  readonly data: Uint8Array;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const good = '{"id":"x","config":{},"custom":{}}';
const WRONG: readonly unknown[] = [null, 0, 1.5, true, 'text', [], [[]], [{}]];

/** Each a little different from the others. */
const recipes: readonly ((n: number) => MalformedMessage)[] = [
  () => ({ kind: 'created', data: new Uint8Array() }),
  (n) => ({ kind: 'updated', data: bytes(good.slice(0, 1 + (n % (good.length - 1)))) }),
  (n) => ({ kind: 'created', data: bytes(JSON.stringify(WRONG[n % WRONG.length])) }),
  (n) => ({ kind: 'deleted', data: bytes(JSON.stringify({ id: [null, 7, true, {}, [], ''][n % 6] })) }),
  (n) => ({ kind: 'created', data: bytes(JSON.stringify({ id: 'x', config: WRONG[n % WRONG.length], custom: {} })) }),
  (n) => ({ kind: 'updated', data: bytes(JSON.stringify({ id: 'x', config: {}, custom: WRONG[n % WRONG.length] })) }),
  (n) => ({ kind: 'created', data: bytes(JSON.stringify({ id: 'x', config: {}, custom: { filePath: n } })) }),
  (n) => ({
    kind: 'created',
    data: bytes(`{"id":"x","config":${'['.repeat(70 + n)}${']'.repeat(70 + n)},"custom":{}}`),
  }),
  (n) => ({ kind: 'updated', data: bytes(`{"id":"x","config":{"k":{"__proto__":{"n":${String(n)}}}},"custom":{}}`) }),
  (n) => ({ kind: 'created', data: bytes(`{"id":"x${'y'.repeat(1_000_000 + n)}","config":{},"custom":{}}`) }),
  (n) => ({ kind: 'created', data: new Uint8Array([0x7b, 0x22, 0xc0 + (n % 32), 0x22, 0x7d]) }),
  (n) => ({ kind: 'deleted', data: bytes(JSON.stringify({ id: ['..', '.', 'a/b', 'a\\b', 'a\u0000'][n % 5] })) }),
  (n) => ({
    kind: 'created',
    data: bytes(JSON.stringify({ data: { id: 'x', config: {}, custom: { createdAt: `day ${String(n)}` } } })),
  }),
  (n) => ({ kind: 'updated', data: bytes(JSON.stringify({ type: 't', data: WRONG[n % WRONG.length] })) }),
];

export const malformedMessages = (count: number): readonly MalformedMessage[] =>
  Array.from({ length: count }, (_none, n) => {
    const recipe = recipes[n % recipes.length];
    if (recipe === undefined) throw new Error('no recipe');
    return recipe(Math.floor(n / recipes.length));
  });
