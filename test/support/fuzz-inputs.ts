/**
 * What strangers send: documents of bots and schedules with something wrong in them, as values and as text, and requests of the API.
 * Most are nearly right, because what is wrong from end to end is refused at once.
 */
import fc from 'fast-check';
import { referenceDocument, referenceSchedule } from './reference-document.ts';

/** Few, so that inputs meet. */
export const IDS = ['a', 'b', 'c', 'd'] as const;

const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
const deepObject = (levels: number): unknown =>
  JSON.parse('{"a":'.repeat(levels) + '0' + '}'.repeat(levels)) as unknown;

/** Values that programs tend to trip over. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    true,
    'no',
    'false',
    0,
    -1,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    '',
    ' ',
    '\u0000',
    '\u001b[2J',
    '../../etc/passwd',
    '*/5 * * * *',
    '61 * * * *',
    '@every 1s',
    '@every 0s',
    'Europe/Nowhere',
    '9'.repeat(400),
  ),
  fc.constantFrom(3, 63, 64, 65, 2_200).map(deep),
  fc.constantFrom(3, 63, 64, 65, 2_200, 3_000).map(deepObject),
  fc.constantFrom(100, 5_000).map((length) => Array.from({ length }, (_, at) => at)),
  fc.constant(0).map(() => ({ constructor: { prototype: 1 }, toString: 'x' })),
);

const KEYS = ['id', 'config', 'custom', 'drover', 'enabled', 'schedule', 'type', 'version', 'filePath', 'runtime', 'entrypoints', 'bot',
  'query', 'stop', 'restartPolicy', 'memoryMb', 'image', 'retries', 'retryFirstSeconds', 'timeZone', 'maxRunSeconds', 'overlap',
  '__proto__', 'constructor', '_bsontype', '<<', '', 'a/b', '~'] as const; // prettier-ignore

type Step = { readonly path: number; readonly key: string; readonly value: unknown; readonly drop: boolean };
const step: fc.Arbitrary<Step> = fc.record({
  path: fc.nat(1_000),
  key: fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 12 })),
  value: odd,
  drop: fc.boolean(),
});

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects of a document, the outermost first. */
const objectsIn = (root: Record<string, unknown>): Record<string, unknown>[] => {
  const found = [root];
  for (const one of found) found.push(...Object.values(one).filter(isTree));
  return found;
};

const set = (target: Record<string, unknown>, key: string, value: unknown): void => {
  // `__proto__` is a key of the document here.
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
};

const changed = (document: Record<string, unknown>, steps: readonly Step[]): Record<string, unknown> => {
  const copy = structuredClone(document);
  for (const { path, key, value, drop } of steps) {
    const objects = objectsIn(copy);
    const target = objects[path % objects.length] ?? copy;
    const keys = Object.keys(target);
    if (drop) Reflect.deleteProperty(target, keys[path % Math.max(1, keys.length)] ?? key);
    else set(target, path % 2 === 0 ? key : (keys[path % Math.max(1, keys.length)] ?? key), value);
  }
  return copy;
};

export interface FuzzedDocument {
  readonly kind: 'bot' | 'schedule';
  readonly id: string;
  readonly document: Record<string, unknown>;
}

const schedules = ['* * * * * *', '*/2 * * * * *', '@every 1s', '0 0 29 2 *', '* * * * *'] as const;

/** One that decodes when `steps` is empty. */
export const fuzzedDocument: fc.Arbitrary<FuzzedDocument> = fc
  .record({
    kind: fc.constantFrom('bot', 'schedule'),
    id: fc.constantFrom(...IDS),
    schedule: fc.constantFrom(...schedules),
    enabled: fc.constantFrom(true, true, false),
    steps: fc.array(step, { maxLength: 3 }),
  })
  .map(({ kind, id: name, schedule, enabled, steps }) => {
    // A bot and a schedule cannot share an id.
    const id = kind === 'bot' ? name : `${name}-s`;
    const good =
      kind === 'bot' ? referenceDocument(id, { config: { enabled } }) : referenceSchedule(id, { schedule, enabled });
    return { kind, id, document: changed(good, steps) };
  });

/** A text with some of its characters changed. */
export const damaged = (text: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.record({
        at: fc.nat(Math.max(1, text.length)),
        less: fc.nat(4),
        more: fc.oneof(
          fc.string({ maxLength: 4 }),
          fc.constantFrom(
            '{',
            '}',
            '[',
            ']',
            ':',
            ',',
            '"',
            '&a ',
            '*a',
            '<<: ',
            '!!binary ',
            '\n---\n',
            '\t',
            '\u0000',
            '1e999',
            '0x1F',
            '.inf',
          ),
        ),
      }),
      { maxLength: 3 },
    )
    .map((edits) => edits.reduce((now, { at, less, more }) => now.slice(0, at) + more + now.slice(at + less), text));

/** Bodies of messages and of requests: whole, or damaged. */
export const fuzzedText: fc.Arbitrary<FuzzedDocument & { readonly text: string }> = fuzzedDocument.chain((made) => {
  const text = JSON.stringify(made.document);
  return fc.oneof(fc.constant(text), damaged(text)).map((one) => ({ ...made, text: one }));
});

export interface FuzzedCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Sent so often, side by side. */
  readonly times: number;
}

const id = fc.oneof(
  fc.constantFrom(...IDS, ...IDS.map((one) => `${one}-s`)),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
const PLACES = ['', '/enable', '/disable', '/restart', '/reset', '/trigger', '/backfill', '/pause', '/resume', '/runs', '/state', '/preview'] as const; // prettier-ignore
const small = fc.oneof(
  fc.record({ reason: odd }).map((value) => JSON.stringify(value)),
  fc
    .record({ from: fc.oneof(odd, fc.constantFrom('2020-01-01T00:00:00Z', 0)), to: odd, again: odd })
    .map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 20 }),
  fc.constant(''),
);

export const fuzzedCall: fc.Arbitrary<FuzzedCall> = fc.oneof(
  fuzzedText.map(({ kind, id: of, text }) => ({
    method: 'PUT',
    path: `/v1/${kind === 'bot' ? 'bots' : 'schedules'}/${of}`,
    body: text,
    times: 1,
  })),
  fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    path: fc
      .tuple(fc.constantFrom('bots', 'schedules'), id, fc.constantFrom(...PLACES))
      .map(([kind, of, place]) => `/v1/${kind}/${of}${place}`),
    body: small,
    times: fc.constantFrom(1, 1, 1, 1, 1, 60),
  }),
  fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    path: fc.oneof(
      fc.constantFrom(
        '/v1/bots',
        '/v1/schedules',
        '/v1/guard',
        '/v1/metrics',
        '/v1/dead-letters',
        '/readyz',
        '/healthz',
        '/v1/takeover',
      ),
      fc.string({ maxLength: 20 }).map((text) => `/v1/${encodeURIComponent(text)}`),
      fc.nat(100).map((after) => `/v1/transitions?after=${String(after)}`),
    ),
    body: small,
    times: fc.constant(1),
  }),
);
