/** Everything a query needs, side by side: code, state, and the first interpreter. */
import { requireCommand, programFor } from '../command-for.ts';
import { readQueryConfig, readTransferConfig } from '../config.ts';
import { prepareCode } from '../prepare-code.ts';
import { placeState } from '../place-state.ts';
import type { QueryOrder } from '../../domain/query-frames.ts';
import { createLeftovers, type Leftovers } from './leftovers.ts';
import type { OutputPipes } from './output-pipes.ts';
import { createQueryPrograms, type QueryPrograms } from './query-programs.ts';
import { sealTree } from './tree-seal.ts';

export type PrepareOrder = Extract<QueryOrder, { kind: 'prepare' }>;

export interface Prepared {
  readonly programs: QueryPrograms;
  readonly leftovers: Leftovers;
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
  const programs = createQueryPrograms(config, pipes);
  programs.prestart();
  const [placed] = await Promise.all([state, prepareCode(config)]);
  // The volume of the bot is mounted read-only; a copy is as read-only as its owner leaves it.
  const isStateSame = placed === 'volume' ? () => true : sealTree(readTransferConfig(env).statePath);
  const leftovers = createLeftovers({ isStateSame });
  leftovers.clean();
  return { programs, leftovers, state: placed };
};
