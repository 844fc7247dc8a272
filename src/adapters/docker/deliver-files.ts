/** What a bot's container is told by files: its configuration, read once and removed, and its keys for the archive store. */
import type Docker from 'dockerode';
import type { BotSpec } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError } from '../../domain/errors.ts';
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

export const deliverFiles = (
  container: Docker.Container,
  { config, access }: Delivery,
  abortSignal: AbortSignal,
): Promise<void> => {
  const files = new Map<string, string>();
  if (config !== undefined) files.set(DELIVERY.configFile, JSON.stringify(config));
  if (access !== undefined) files.set(DELIVERY.accessFile, JSON.stringify(access));
  return putFiles(container, files, abortSignal);
};
