/** The two kinds of wishes that come as messages: which they are, and how they are read. */
import { decodeBotMessage } from '../documents/bot-message.ts';
import { decodeScheduleMessage } from '../documents/schedule-message.ts';
import type { DecodedMessage } from '../documents/wish-message.ts';
import { BOT_WISHES, SCHEDULE_WISHES, type WishChannel } from '../ports/message-bus.ts';

export interface WishKind {
  readonly reads: WishChannel;
  readonly decode: (subject: string, data: Uint8Array) => DecodedMessage;
}

export const BOT_WISH_KIND: WishKind = { reads: BOT_WISHES, decode: decodeBotMessage };
export const SCHEDULE_WISH_KIND: WishKind = { reads: SCHEDULE_WISHES, decode: decodeScheduleMessage };
