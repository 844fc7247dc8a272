/** `drover drain` and `drover confirm-removal`: wishes about the whole fleet. */
import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

export const addFleetActions = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('drain')
    .description('stop every bot until you undo it')
    .option('--undo', 'allow the fleet to run again')
    .option('--reason <text>', 'the reason, for the transition log')
    .action(async ({ undo, reason }: { undo?: boolean; reason?: string }) => {
      if (undo === true) await client().call('DELETE', '/v1/drain');
      else await client().call('POST', '/v1/drain', { reason: reason ?? '' });
      io.out(undo === true ? 'the fleet may run again' : 'the fleet is being stopped');
    });
  program
    .command('confirm-removal')
    .description('allow the stops that the removal guard holds back')
    .action(async () => {
      const { confirmed } = await client().call<{ confirmed: readonly string[] }>('POST', '/v1/confirm-removal', {});
      io.out(confirmed.length === 0 ? 'no stop was held back' : `confirmed: ${confirmed.join(', ')}`);
    });
};
