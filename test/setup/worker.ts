/** Runs in each worker before a test file: the environment of its engine and of its own servers. */
import { inject } from 'vitest';
import './provided.ts';

const worker = Number(process.env['VITEST_POOL_ID'] ?? 1);
Object.assign(process.env, inject('engine') ?? {}, (inject('servers') ?? [])[worker - 1] ?? {});
