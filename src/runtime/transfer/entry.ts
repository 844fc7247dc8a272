/** The second program of the image, `/app/transfer.cjs`: only this one can load the client of the archive store. */
import { DELIVERY } from '../../domain/delivery.ts';
import { readTransferConfig } from '../config.ts';
import { transfer } from './main.ts';
import { openView, openWorkers } from './open-archives.ts';

const config = readTransferConfig();

void transfer({ accessFile: DELIVERY.accessFile, open: openWorkers(config), view: openView(config) }).then((code) =>
  process.exit(code),
);
