/** The engine adapter as the tests use it: everything real. */
import { createDockerEngine, type DockerEngineOptions } from '../../src/adapters/docker/docker-engine.ts';
import { folderAccess } from '../../src/adapters/embedded/folder-access.ts';
import type { ArchiveStore } from '../../src/ports/archive-store.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { dockerAt } from '../../scripts/docker-at.ts';

/** What the bot image is built from. Never called: `npm test -- --changed` follows imports, and so finds the tests that run it. */
export const sourcesOfBotImage = (): Promise<unknown> =>
  Promise.all([
    import('../../src/runtime/main.ts'),
    import('../../src/runtime/state/command.ts'),
    import('../../src/runtime/transfer/entry.ts'),
    import('../../src/runtime/logs/live.ts'),
  ]);

export const realEngine = (
  given: { host: string; install: string; archives: ArchiveStore },
  change: Partial<DockerEngineOptions> = {},
): Engine =>
  createDockerEngine({
    docker: dockerAt(given.host),
    install: given.install,
    archives: given.archives,
    role: 'bot',
    mayAct: () => undefined,
    network: 'drover-bots',
    access: folderAccess,
    image: process.env['TEST_IMAGE'] ?? 'drover-bot:latest',
    hostGateway: false,
    configInEnv: false,
    startsInFlight: 4,
    // Tests that run side by side have bots of the same id.
    besideOthers: true,
    ...change,
  });
