/** Keys for one bot's part of the archive store, taken by the controller. */
import type { BotId } from '../domain/bot.ts';
import type { StoreAccess } from '../domain/store-access.ts';

export interface AccessOptions {
  /** To its states alone, and only to read them: what a query needs. */
  readonly readOnly?: boolean;
}

export interface StoreAccessSource {
  /** `folder`: a volume of each bot stands for its part. */
  readonly kind: StoreAccess['kind'];
  /** @throws DroverError ARCHIVE_UNAVAILABLE, ARCHIVE_FORBIDDEN, CREDENTIALS_UNSCOPED when the store cannot limit keys */
  accessFor(botId: BotId, options?: AccessOptions): Promise<StoreAccess>;
}
