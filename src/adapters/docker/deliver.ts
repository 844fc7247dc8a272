/** Puts a bot's configuration where `runtime execute` reads it: a file on its own volume, never its environment. */
import { basename, dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import type { BotSpec } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';

export const deliverConfig = async (container: Docker.Container, spec: BotSpec): Promise<void> => {
  const tar = pack();
  tar.entry({ name: basename(DELIVERY.configFile), mode: 0o400, uid: 1_000, gid: 1_000 }, JSON.stringify(spec.config));
  tar.finalize();
  await container.putArchive(await buffer(tar), { path: dirname(DELIVERY.configFile) });
};
