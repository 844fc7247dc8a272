/** `drover enable|disable|restart|reset|delete <id>`. */
import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

const ACTIONS = {
  enable: 'let a bot run',
  disable: 'stop a bot and keep all of it',
  restart: 'stop a bot and start it again',
  reset: 'clear the failures of a bot that drover gave up',
} as const;

export const addBotActions = (program: Command, io: Io, client: () => ApiClient): void => {
  for (const [action, description] of Object.entries(ACTIONS)) {
    program
      .command(action)
      .description(description)
      .argument('<id>')
      .option('--reason <text>', 'why; it stands in the transition log')
      .action(async (id: string, { reason }: { reason?: string }) => {
        await client().call('POST', `/v1/bots/${encodeURIComponent(id)}/${action}`, { reason: reason ?? '' });
        io.out(`${id} ${action} asked for`);
      });
  }
  program
    .command('delete')
    .description('stop a bot and forget it; its volumes go after GC_GRACE')
    .argument('<id>')
    .action(async (id: string) => {
      await client().call('DELETE', `/v1/bots/${encodeURIComponent(id)}`);
      io.out(`${id} delete asked for`);
    });
};
