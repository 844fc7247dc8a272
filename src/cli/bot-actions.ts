/** `drover enable|disable|restart|reset|delete <id>`; what schedules can do too, they do. */
import type { Command } from 'commander';
import { DroverError } from '../domain/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

const ACTIONS = {
  enable: 'allow a bot to run',
  disable: 'stop a bot and keep its data',
  restart: 'stop a bot and start it again',
  reset: 'clear the failures of a bot that drover gave up on',
} as const;

const OF_SCHEDULES: ReadonlySet<string> = new Set(['enable', 'disable']);

/** A bot, or else a schedule of this id. @throws DroverError as the API says of the bot when it is neither */
const callEither = async (
  client: ApiClient,
  method: string,
  id: string,
  action: string,
  body?: unknown,
): Promise<void> => {
  const path = `${encodeURIComponent(id)}${action}`;
  try {
    await client.call(method, `/v1/bots/${path}`, body);
  } catch (thrown) {
    if (!(thrown instanceof DroverError) || thrown.code !== 'BOT_NOT_FOUND') throw thrown;
    await client.call(method, `/v1/schedules/${path}`, body).catch((other: unknown) => {
      throw other instanceof DroverError && other.code === 'BOT_NOT_FOUND' ? thrown : other;
    });
  }
};

export const addBotActions = (program: Command, io: Io, client: () => ApiClient): void => {
  for (const [action, description] of Object.entries(ACTIONS)) {
    program
      .command(action)
      .description(description)
      .argument('<id>')
      .option('--reason <text>', 'the reason, for the transition log')
      .action(async (id: string, { reason }: { reason?: string }) => {
        const body = { reason: reason ?? '' };
        if (OF_SCHEDULES.has(action)) await callEither(client(), 'POST', id, `/${action}`, body);
        else await client().call('POST', `/v1/bots/${encodeURIComponent(id)}/${action}`, body);
        io.out(`${id} ${action} requested`);
      });
  }
  program
    .command('delete')
    .description('stop and delete a bot; its volumes are removed after GC_GRACE')
    .argument('<id>')
    .action(async (id: string) => {
      await callEither(client(), 'DELETE', id, '');
      io.out(`${id} delete requested`);
    });
};
