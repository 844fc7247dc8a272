/** What a bot's container is told by files: its configuration, read once and removed, and its keys for the archive store. */
import type Docker from 'dockerode';
import type { BotSpec } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError } from '../../domain/errors.ts';
import { jsonText } from '../../domain/json-text.ts';
import type { StoreAccess } from '../../domain/store-access.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import { putFiles } from './put-files.ts';

/**
 * Keys for one bot, or undefined while the store that gives them does not answer: a bot whose volume is the newest may start
 * without, and gets them later (fault R10). @throws DroverError CREDENTIALS_UNSCOPED, ARCHIVE_FORBIDDEN
 */
export const accessIfAny = async (source: StoreAccessSource, botId: string): Promise<StoreAccess | undefined> => {
  try {
    return await source.accessFor(botId);
  } catch (thrown) {
    if (thrown instanceof DroverError && thrown.code === 'ARCHIVE_UNAVAILABLE') return undefined;
    throw thrown;
  }
};

export interface Delivery {
  readonly config?: BotSpec['config'];
  readonly access: StoreAccess | undefined;
}

/** @throws as the engine and `mayAct` do, which is asked right before the files are sent */
export const deliverFiles = (
  container: Docker.Container,
  { config, access }: Delivery,
  mayAct: () => void,
  abortSignal: AbortSignal,
): Promise<void> => {
  const files = new Map<string, string>();
  if (config !== undefined) files.set(DELIVERY.configFile, jsonText(config));
  if (access !== undefined) files.set(DELIVERY.accessFile, JSON.stringify(access));
  return putFiles(container, { files, mayAct, abortSignal });
};

/**
 * When the keys expire that containers were just given at their start. Whoever renews them asks right after the start for the
 * first time; what it would upload then is what the container has already.
 */
export interface DeliveredAccess {
  /** Keys that do not expire, or none at all, are not noted. */
  add(containerId: string, access: StoreAccess | undefined): void;
  /**
   * Epoch ms; undefined when nothing was noted, when it was taken before, or when that was a while ago: who renews at half of what
   * is left must not count from keys that are half used up.
   */
  take(containerId: string): number | undefined;
}

/** Longest time for which keys count as just given. */
const JUST_MS = 60_000;

/** `now`: monotonic milliseconds. */
export const createDeliveredAccess = (now: () => number = () => performance.now()): DeliveredAccess => {
  const given = new Map<string, { readonly at: number; readonly expiresAt: number }>();
  return {
    add: (id, access) => {
      given.delete(id);
      if (access?.kind === 's3' && access.expiresAt !== undefined) {
        given.set(id, { at: now(), expiresAt: access.expiresAt });
      }
    },
    take: (id) => {
      const noted = given.get(id);
      given.delete(id);
      return noted !== undefined && now() - noted.at < JUST_MS ? noted.expiresAt : undefined;
    },
  };
};
