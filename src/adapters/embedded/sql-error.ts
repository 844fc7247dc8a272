/** What the SQLite driver throws, in the words of the error table. */
import { DroverError } from '../../domain/errors.ts';

const codeOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : '';

/** Somebody else holds the file. */
export const isBusy = (thrown: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(thrown));

/** STORE_LOCKED, STORE_CORRUPT or STORE_UNAVAILABLE; an error of ours passes through. */
export const toStoreError = (thrown: unknown, file: string): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const message = `${file}: ${detail}`;
  if (isBusy(thrown)) return new DroverError('STORE_LOCKED', message, { cause: thrown });
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(thrown)))
    return new DroverError('STORE_CORRUPT', message, { cause: thrown });
  return new DroverError('STORE_UNAVAILABLE', message, { cause: thrown });
};
