/** A process of its own that opens a data folder, prints `held` or the code of its refusal, and keeps what it got. */
import { writeSync } from 'node:fs';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { toDroverError } from '../../src/domain/errors.ts';

try {
  await openEmbeddedStores({ dataDir: process.argv[2] ?? '', writer: 'holder', now: Date.now });
  writeSync(1, 'held\n');
  setInterval(() => undefined, 1_000);
} catch (thrown) {
  writeSync(1, `${toDroverError(thrown).code}\n`);
}
