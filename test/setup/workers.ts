/** How many test files run at once. */
import { availableParallelism } from 'node:os';

const named = Number(process.env['TEST_WORKERS'] ?? '');

/** Files that need no engine. */
export const WORKERS = 4;

/**
 * Files that share the engine: as many as there are processors. More are a little faster and keep the machine so busy that a test which
 * takes a quiet one for granted is red for that. A server that the environment names is one for all, and its stream of messages has
 * a fixed name.
 */
export const ENGINE_WORKERS = process.env['NATS_URL']
  ? 1
  : Number.isInteger(named) && named > 0
    ? named
    : Math.min(WORKERS, availableParallelism());
