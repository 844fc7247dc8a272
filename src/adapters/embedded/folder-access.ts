/** The embedded archive store as bots reach it: a volume of their own, and no keys at all. */
import { DELIVERY } from '../../domain/delivery.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';

export const folderAccess: StoreAccessSource = {
  kind: 'folder',
  accessFor: () => Promise.resolve({ kind: 'folder', path: DELIVERY.archiveMount }),
};
