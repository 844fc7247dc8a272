/** The home of a bot (user 1000): on a volume of the bot, so that caches outlive a restart. No part of its state. */
import { mkdirSync } from 'node:fs';
import { DELIVERY } from '../domain/delivery.ts';

/** The name is that of the image's user; programs ask the environment first where an image has none. */
export const HOME_VARIABLES = { HOME: DELIVERY.home, USER: 'bot', LOGNAME: 'bot' } as const;

/** Of a query program: emptied after each query. */
export const HOME_OF_QUERIES = { HOME: '/tmp' } as const;

/** Makes it where it is missing. Never throws: a bot that does not use it runs without. */
export const placeHome = (path: string = DELIVERY.home): void => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch {
    // It finds out when it writes there.
  }
};
