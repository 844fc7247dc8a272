/** Where earlier versions kept the data folder: in the working directory. It is never passed over in silence. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DroverError } from '../../domain/errors.ts';

export const FORMER_FOLDER = '.drover';

const LEFT = ['drover.db', 'archives'] as const;
const holds = (folder: string): boolean => LEFT.some((name) => existsSync(join(folder, name)));

/**
 * For the default folder alone: whoever names one means it.
 * @throws DroverError CONFIG_INVALID when the working directory has data of an earlier version, and `dataDir` has none
 */
export const refuseFormerFolder = (dataDir: string, workingDirectory = process.cwd()): void => {
  const former = resolve(workingDirectory, FORMER_FOLDER);
  if (former === resolve(dataDir) || !holds(former) || holds(dataDir)) return;
  throw new DroverError(
    'CONFIG_INVALID',
    `${former} has the log and the documents of drover, which are in ${dataDir} now: ` +
      `move them with \`mkdir -p ${join(dataDir, '..')} && mv ${former} ${dataDir}\`, or go on there with DROVER_DATA_DIR=${former}`,
  );
};
