/**
 * Messages that wish scheduled bots (contract §2.1, §3): only sent directly, with times that are times, and never without a
 * schedule. Nothing a message holds can make this throw (fault R1).
 */
import { z } from 'zod';
import { anObject, decodeWish, readMessage, wishShape, type DecodedMessage } from './wish-message.ts';

export type ScheduleWishSubject =
  'the0.bot-schedule.created' | 'the0.bot-schedule.updated' | 'the0.bot-schedule.deleted';

/** Whether it is a schedule of ours is said by the document: there a person can see what is wrong with it. */
const schedule = z.custom<string>((value) => typeof value === 'string' && value.trim() !== '', 'must be a string');
const shape = wishShape.extend({ config: anObject(z.looseObject({ schedule })) });

/** @param subject a {@link ScheduleWishSubject} */
export const decodeScheduleMessage = (subject: string, data: Uint8Array): DecodedMessage => {
  const read = readMessage(data);
  if ('kind' in read) return read;
  return decodeWish(subject, read.message, { at: '', checksTimes: true, shape });
};
