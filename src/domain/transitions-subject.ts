/** The subject under which the transitions of one bot are told to whoever listens on the message bus. */
import type { BotId } from './bot.ts';

/** An id as one token of a subject (contract §2). Not injective: the message itself names its bot. */
export const subjectToken = (id: BotId): string => (id === '' ? 'unknown' : id.replace(/[^A-Za-z0-9_-]/gu, '_'));

export const transitionsSubject = (id: BotId): string => `drover.bot.${subjectToken(id)}.transitions`;
