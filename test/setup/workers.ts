/** How many test files run at once. */
const named = Number(process.env['TEST_WORKERS'] ?? '');

/** More files than processors: a test on the engine waits for it most of the time. */
const USUAL = 4;

/** Files that need no engine. */
export const WORKERS = USUAL;

/** Files that share the engine. A server that the environment names is one for all, and its stream of messages has a fixed name. */
export const ENGINE_WORKERS = process.env['NATS_URL'] ? 1 : Number.isInteger(named) && named > 0 ? named : USUAL;
