/** What `drover gc` may know and touch in the archive store: keys it understands, and the note it keeps there. */
import { DroverError } from './errors.ts';
import { isObject } from './json.ts';

export type SweptBucket = 'logs' | 'state';

/** Our one object in the state bucket. No id is found in it: it lies in no folder. */
export const GARBAGE_NOTE_KEY = '.drover-gc.json';

/** Day files and unfinished chunks of the reference (contract §4). An id is one step of the path: more would be guessing. */
const LOG_KEY = /^logs\/([^/]+)\/(?:\d{8}\.log|(\.tmp-[^/]*))$/;
/** The reference's archive, our numbered snapshots with their manifests, the operator's choice of one. */
const STATE_KEY = /^([^/]+)\/(?:(?:earlier-)?state\.tar\.gz|restore\.json|a\d{10}\/s\d{10}\.(?:tar\.gz|json))$/;

export interface OwnedKey {
  readonly id: string;
  /** A chunk on its way into a day file. */
  readonly temporary: boolean;
}

/** Whose object this is; undefined for every key that is not exactly one of the known forms: it is never touched. */
export const ownerOfKey = (bucket: SweptBucket, key: string): OwnedKey | undefined => {
  const [, id, temporary] = (bucket === 'logs' ? LOG_KEY : STATE_KEY).exec(key) ?? [];
  // A path is never an id, and what an HTTP library on the way makes of one is anybody's guess.
  if (id === undefined || id === '.' || id === '..') return undefined;
  return { id, temporary: temporary !== undefined };
};

/** Where all of an id's objects lie; what is found there still has to be asked with {@link ownerOfKey}. */
export const prefixOfId = (bucket: SweptBucket, id: string): string => (bucket === 'logs' ? `logs/${id}/` : `${id}/`);

export interface GarbageNote {
  /** Whose bots these buckets hold. */
  readonly installId: string;
  /** id → since when it is seen without anybody wishing it, epoch milliseconds. */
  readonly absent: ReadonlyMap<string, number>;
}

const SCHEMA = 1;

/** The same note gives the same text. Pairs, not fields: an id may be any word, `__proto__` too. */
export const encodeGarbageNote = ({ installId, absent }: GarbageNote): string => {
  const pairs = [...absent].map(([id, since]) => ({ id, since }));
  pairs.sort((a, b) => (a.id < b.id ? -1 : 1));
  return `${JSON.stringify({ schema: SCHEMA, installId, absent: pairs }, null, 1)}\n`;
};

const broken = (why: string, cause?: unknown): DroverError =>
  new DroverError(
    'GC_REFUSED',
    `${GARBAGE_NOTE_KEY} in the state bucket ${why}: remove it, and each grace period starts again`,
    {
      cause,
    },
  );

/** @throws DroverError GC_REFUSED when it is not what {@link encodeGarbageNote} writes: guessing could shorten a grace */
export const decodeGarbageNote = (text: string): GarbageNote => {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (thrown) {
    throw broken('is not valid JSON', thrown);
  }
  if (!isObject(raw) || raw['schema'] !== SCHEMA) throw broken('has a format that this drover does not know');
  const { installId, absent } = raw;
  if (typeof installId !== 'string' || installId === '' || !Array.isArray(absent)) throw broken('lacks a field');
  return {
    installId,
    absent: new Map(
      absent.map((pair: unknown): [string, number] => {
        if (!isObject(pair) || typeof pair['id'] !== 'string' || !Number.isSafeInteger(pair['since'])) {
          throw broken('has an entry that is not valid');
        }
        return [pair['id'], pair['since'] as number];
      }),
    ),
  };
};
