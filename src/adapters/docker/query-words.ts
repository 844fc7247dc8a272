/**
 * What comes from a query container, believed only as far as it can be ours: code of the bot runs in there and can write to the same
 * pipe (fault R38). Pure.
 */
import { isObject } from '../../domain/json.ts';
import type { QueryWord } from '../../domain/query-frames.ts';
import { parseSnapshot } from '../../domain/sync-report.ts';

const PLACES: ReadonlySet<unknown> = new Set(['none', 'volume', 'archive']);

/** It becomes a header of the answer. */
const isState = (value: unknown): value is string =>
  PLACES.has(value) || (typeof value === 'string' && parseSnapshot(value) !== undefined);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isFlag = (value: unknown): boolean => value === undefined || value === true;

type Kind = QueryWord['kind'];

const CHECKS: { readonly [K in Kind]: (word: Record<string, unknown>) => boolean } = {
  ready: ({ state }) => isState(state),
  failed: ({ code, detail }) => isText(code) && isText(detail),
  begun: ({ id }) => isCount(id),
  reply: ({ id, exitCode, bytes }) => isCount(id) && isCount(exitCode) && isCount(bytes),
  end: ({ id }) => isCount(id),
  none: ({ id, exitCode, output, tooLarge, timedOut }) =>
    isCount(id) && isCount(exitCode) && isText(output) && isFlag(tooLarge) && isFlag(timedOut),
};

const isKind = (value: unknown): value is Kind => typeof value === 'string' && Object.hasOwn(CHECKS, value);

/** @throws Error for what `runtime query` never says */
export const parseWord = (text: string): QueryWord => {
  const word: unknown = JSON.parse(text);
  if (!isObject(word) || !isKind(word['kind'])) throw new Error('its kind is unknown');
  if (!CHECKS[word['kind']](word)) throw new Error(`it has wrong fields for the kind ${word['kind']}`);
  return word as unknown as QueryWord;
};
