/** How many test files run at once. */
const named = Number(process.env['TEST_WORKERS'] ?? '');

/** Files that need no engine. */
export const WORKERS = 4;

/**
 * Files that share the engine: one at a time, until each of them has been seen to hold its own beside others. `TEST_WORKERS=4`
 * runs them side by side. A server that the environment names is one for all, and its stream of messages has a fixed name.
 */
export const ENGINE_WORKERS = process.env['NATS_URL'] || !Number.isInteger(named) || named < 1 ? 1 : named;
