/** Stored events as today's events. The log is never edited: older schemas are raised step by step on reading (§6 rule 7). */
import { BOT_EVENT_SCHEMA, type BotEvent } from '../domain/bot-event.ts';
import { DroverError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/recorded.ts';

type Step = (event: StoredEvent) => StoredEvent;

/** `STEPS[n]` raises schema n to n + 1. Add one when BOT_EVENT_SCHEMA grows; never change one. */
const STEPS: Readonly<Record<number, Step>> = {};

/** @throws DroverError EVENT_ILLEGAL for a schema that this version does not know: nothing is done on such a log */
export const upcast = (stored: StoredEvent): BotEvent => {
  let event = stored;
  while (event.schema < BOT_EVENT_SCHEMA) {
    const step = STEPS[event.schema];
    if (step === undefined) throw new DroverError('EVENT_ILLEGAL', `no upcast from schema ${String(event.schema)}`);
    event = { ...step(event), schema: event.schema + 1 };
  }
  if (event.schema !== BOT_EVENT_SCHEMA) {
    throw new DroverError(
      'EVENT_ILLEGAL',
      `${event.type} has schema ${String(event.schema)}, written by a newer drover`,
    );
  }
  // What the type promises is what `evolve` accepts: it refuses an unknown type, so the cast cannot hide one.
  return { type: event.type, ...event.data } as unknown as BotEvent;
};

/** The stored form of a new event. */
export const toStored = (event: BotEvent): StoredEvent => {
  const { type, ...data } = event;
  return { type, schema: BOT_EVENT_SCHEMA, data };
};
