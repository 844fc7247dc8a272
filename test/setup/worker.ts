/** Runs in each worker before a test file: the environment of its engine and of its own servers. */
import { inject } from 'vitest';
import { borrowServers } from './lent-servers.ts';
import './folder.ts';
import './provided.ts';

const lender = inject('lender');
const servers = lender === undefined ? undefined : await borrowServers(lender);
Object.assign(process.env, inject('engine'), servers?.env);
