/** Everything a query needs, side by side: code, state, and the first interpreter. */
import { requireCommand, programFor } from '../command-for.ts';
import { readQueryConfig } from '../config.ts';
import { prepareCode } from '../prepare-code.ts';
import { placeState } from '../place-state.ts';
import type { QueryOrder } from '../../domain/query-frames.ts';
import { removeLeftovers } from './leftovers.ts';
import type { OutputPipes } from './output-pipes.ts';
import { createQueryPrograms, type QueryPrograms } from './query-programs.ts';

export type PrepareOrder = Extract<QueryOrder, { kind: 'prepare' }>;

export interface Prepared {
  readonly programs: QueryPrograms;
  /** What the queries read: see {@link QueryOrder}. */
  readonly state: string;
}

/** @throws DroverError for whatever cannot be prepared */
export const prepareQueries = async (order: PrepareOrder, makingPipes: Promise<OutputPipes>): Promise<Prepared> => {
  const config = await readQueryConfig(order.config);
  const { runtime, entrypoint, codePath, env } = config;
  requireCommand(programFor(runtime, entrypoint, codePath), runtime, env['PATH'] ?? '');
  const state = placeState(env, order.state, order.access);
  state.catch(() => undefined);
  const pipes = await makingPipes;
  removeLeftovers();
  const programs = createQueryPrograms(config, pipes);
  programs.prestart();
  const [placed] = await Promise.all([state, prepareCode(config)]);
  return { programs, state: placed };
};
