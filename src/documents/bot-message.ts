/** Messages that wish bots (contract §2.1), in both shapes. Nothing a message holds can make this throw (fault R1). */
import { isObject } from '../domain/json.ts';
import { decodeWish, malformed, readMessage, wishShape, type DecodedMessage } from './wish-message.ts';

export type WishSubject = 'the0.bot.created' | 'the0.bot.updated' | 'the0.bot.deleted';

/** The wish itself: the whole message, or the `data` of a wrapped one, which counts only when the message has no id. */
const unwrap = (message: Readonly<Record<string, unknown>>): { readonly body: unknown; readonly wrapped: boolean } => {
  const { id, data } = message;
  const direct = id !== undefined && id !== null && id !== '';
  return direct || data === undefined ? { body: message, wrapped: false } : { body: data, wrapped: true };
};

/** @param subject a {@link WishSubject} */
export const decodeBotMessage = (subject: string, data: Uint8Array): DecodedMessage => {
  const read = readMessage(data);
  if ('kind' in read) return read;
  const { body, wrapped } = unwrap(read.message);
  if (!isObject(body)) return malformed('/data: must be an object');
  return decodeWish(subject, body, { at: wrapped ? '/data' : '', checksTimes: wrapped, shape: wishShape });
};
