/** How many test files run at once. Four is the most that one engine starts containers for without queueing them. */
const named = Number(process.env['TEST_WORKERS'] ?? '');

// A server that the environment names is one for all, and some of its names (the stream of messages) are fixed.
export const WORKERS = process.env['NATS_URL'] ? 1 : Number.isInteger(named) && named > 0 ? named : 4;
