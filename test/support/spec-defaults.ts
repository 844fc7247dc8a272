/** What a document of a test does not say itself. */
import type { SpecDefaults } from '../../src/documents/bot-document.ts';

export const DEFAULTS: SpecDefaults = {
  image: 'img',
  limits: { memoryMb: 512, cpuShares: 512, pids: 256 },
  stopHookMs: 1_000,
  stopGraceMs: 1_000,
  finalSyncMs: 10_000,
  restartPolicy: 'always',
};
