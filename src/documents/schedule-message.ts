/**
 * Messages that wish scheduled bots (contract §2.1, §3): only sent directly, with times that are times, and never without a
 * schedule. Nothing a message holds can make this throw (fault R1).
 */
import { z } from 'zod';
import { parseSchedule } from '../domain/cron/parse-schedule.ts';
import { DroverError } from '../domain/errors.ts';
import { anObject, decodeWish, readMessage, wishShape, type DecodedMessage } from './wish-message.ts';

export type ScheduleWishSubject =
  'the0.bot-schedule.created' | 'the0.bot-schedule.updated' | 'the0.bot-schedule.deleted';

/** What the reference refuses with the message leaves the earlier document as it is (contract §9.2). */
const schedule = z.string('must be a string').superRefine((text, context) => {
  try {
    parseSchedule(text);
  } catch (thrown) {
    context.addIssue(thrown instanceof DroverError ? thrown.message : 'is not a cron text');
  }
});
const shape = wishShape.extend({ config: anObject(z.looseObject({ schedule })) });

/** @param subject a {@link ScheduleWishSubject} */
export const decodeScheduleMessage = (subject: string, data: Uint8Array): DecodedMessage => {
  const read = readMessage(data);
  if ('kind' in read) return read;
  return decodeWish(subject, read.message, { at: '', checksTimes: true, shape });
};
