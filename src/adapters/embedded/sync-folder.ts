/** Makes the entries of a folder durable: a new or renamed file is only safe once its folder is on disk. */
import { open } from 'node:fs/promises';

export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
};
