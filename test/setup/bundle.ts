/** Global set-up: the bundle that `bin/drover.js` runs, made once for the whole run. */
import { buildDrover } from '../../scripts/build-drover.ts';
import { once } from './once.ts';

export const setup = async (): Promise<() => Promise<void>> =>
  (await once('bundle', buildDrover, () => Promise.resolve())).release;
