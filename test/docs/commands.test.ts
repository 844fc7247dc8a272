/** The commands of the documentation, as printed and in order, in an empty folder or a clone, on a real engine; and what the page says you will see. */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import { until } from '../../scripts/until.ts';
import { NoServer } from '../../scripts/servers/test-server.ts';
import { makeClone } from '../support/doc-clone.ts';
import { commandPages, missingLine, readPage, type Step } from '../support/doc-page.ts';
import { openDocServers } from '../support/doc-servers.ts';
import { openDocShell, type DocShell, type Outcome } from '../support/doc-shell.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Programs that a reader has on his machine by the first line of a page. */
let bin: string;
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'drover-bin-'));
  const program = join(bin, 'drover');
  await writeFile(program, `#!/bin/sh\nexec node ${join(ROOT, 'bin/drover.js')} "$@"\n`);
  await chmod(program, 0o755);
});
afterAll(() => rm(bin, { recursive: true, force: true }));

/** Of the API, the query server, `drover gc` and a second controller, as pages name them. */
const PORTS = [8080, 8081, 8084, 9477, 9478];
/** The commands of a page must never reach a drover that somebody uses. */
const isInUse = async (port: number): Promise<boolean> => {
  const server = createServer().listen(port, '127.0.0.1');
  const taken = await once(server, 'listening').then(
    () => false,
    () => true,
  );
  server.close();
  return taken;
};

const seen = (output: string): string => `It printed:\n${output}`;

/** "After some seconds": until the output is as the page says, and the command has not failed. */
const prints = async (
  read: () => Outcome | Promise<Outcome>,
  expected: readonly string[],
  where: string,
): Promise<void> => {
  let last: Outcome = { code: 0, output: '' };
  const isThere = async (): Promise<boolean> => {
    last = await read();
    return last.code === 0 && missingLine(last.output, expected) === undefined;
  };
  const otherwise = (): string => {
    const missing = missingLine(last.output, expected);
    return `${where}: ${missing === undefined ? `exit code ${String(last.code)}` : `no line "${missing}"`}. ${seen(last.output)}`;
  };
  await until(isThere, { within: 60_000, every: 500, otherwise });
};

const take = async (shell: DocShell, step: Step, page: string): Promise<void> => {
  const where = `${page}:${String(step.line)}`;
  switch (step.kind) {
    case 'file': {
      const path = join(shell.folder, step.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, step.text);
      return;
    }
    case 'background': {
      const printed = await shell.background(step.text);
      await prints(printed, step.expected, where);
      return;
    }
    case 'run': {
      if (step.isRepeated) {
        await prints(() => shell.run(step.text), step.expected, where);
        return;
      }
      const { code, output } = await shell.run(step.text);
      expect(code, `${where}: ${step.text}\n${seen(output)}${shell.output()}`).toBe(0);
      expect(missingLine(output, step.expected), `${where}: ${seen(output)}`).toBeUndefined();
      return;
    }
    case 'end background':
      await shell.endBackground();
      return;
    case 'skipped':
      return;
  }
};

const pages = commandPages(ROOT).map((page) => ({ page, ...readPage(join(ROOT, page)) }));

describe.each(pages)('$page', ({ page, steps, needs }) => {
  const skipped = steps.filter((step) => step.kind === 'skipped');
  // Named at the end of the run.
  for (const { line, why } of skipped) it.skip(`the commands in line ${String(line)}: ${why}`, () => undefined);

  it.runIf(steps.length > skipped.length)('its commands do what it says', async ({ skip }) => {
    // On a machine made for the tests nothing may be left out.
    const cannot = (why: string): never => {
      if (process.env['TEST_STRICT'] !== undefined) throw new Error(why);
      return skip(why);
    };
    for (const port of PORTS) if (await isInUse(port)) cannot(`another program listens on port ${String(port)}`);
    const servers = needs.has('servers')
      ? await openDocServers().catch((thrown: unknown) => {
          if (thrown instanceof NoServer) return cannot(thrown.message);
          throw thrown;
        })
      : undefined;
    const folder = await mkdtemp(join(tmpdir(), 'drover-docs-'));
    const settings = join(bin, 'servers.env');
    const profile = join(bin, 'profile');
    await writeFile(profile, '');
    const lines = Object.entries(servers?.env ?? {}).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(settings, lines.join(''));
    if (needs.has('clone')) await makeClone(ROOT, folder);
    const install = newInstall();
    const shell = await openDocShell(folder, {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'] ?? '/root',
      // The data folder of this reader alone.
      XDG_STATE_HOME: join(folder, '.state'),
      LANG: 'C.UTF-8',
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      INSTALL_ID: install,
      FOREIGN_INSTALLS: 'ignore',
      TEST_RUN: process.env['TEST_RUN'] ?? '',
      // For commands that readers do not see.
      SERVERS: settings,
      // The profile of the reader's shells, empty at first.
      BASH_ENV: profile,
    });
    try {
      for (const step of steps) await take(shell, step, page);
    } finally {
      await shell.close();
      await servers?.close();
      await removeInstall(docker, install);
    }
  });
});
