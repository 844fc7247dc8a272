/** The commands of the documentation, as printed and in order, in an empty folder, on a real engine; and what the page says you will see. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import { missingLine, pagesIn, readPage, type Step } from '../support/doc-page.ts';
import { openDocShell, type DocShell } from '../support/doc-shell.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGES = ['README.md', 'compose/README.md', ...pagesIn(ROOT, 'docs/tutorials', 'docs/how-to')];

/** Programs that a reader has on his machine by the first line of a page. */
let bin: string;
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'drover-bin-'));
  const program = join(bin, 'drover');
  await writeFile(program, `#!/bin/sh\nexec node ${join(ROOT, 'bin/drover.js')} "$@"\n`);
  await chmod(program, 0o755);
});
afterAll(() => rm(bin, { recursive: true, force: true }));

const seen = (output: string): string => `It printed:\n${output}`;

const take = async (shell: DocShell, step: Step, page: string): Promise<void> => {
  const where = `${page}:${String(step.line)}`;
  switch (step.kind) {
    case 'file': {
      const path = join(shell.folder, step.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, step.text);
      return;
    }
    case 'background':
      await shell.background(step.text);
      return;
    case 'run': {
      if (step.isRepeated) {
        // "After some seconds": until the output is as the page says.
        let output = '';
        const missing = async (): Promise<string | undefined> => {
          ({ output } = await shell.run(step.text));
          return missingLine(output, step.expected);
        };
        await expect.poll(missing, { message: `${where}: ${seen(output)}`, interval: 500 }).toBeUndefined();
        return;
      }
      const { code, output } = await shell.run(step.text);
      expect(code, `${where}: ${step.text}\n${seen(output)}${shell.output()}`).toBe(0);
      expect(missingLine(output, step.expected), `${where}: ${seen(output)}`).toBeUndefined();
      return;
    }
    case 'skipped':
      return;
  }
};

describe.each(PAGES.map((page) => ({ page, steps: readPage(join(ROOT, page)).steps })))('$page', ({ page, steps }) => {
  const skipped = steps.filter((step) => step.kind === 'skipped');
  // Named at the end of the run.
  for (const { line, why } of skipped) it.skip(`the commands in line ${String(line)}: ${why}`, () => undefined);

  it.runIf(steps.length > skipped.length)('its commands do what it says', async () => {
    const install = newInstall();
    const shell = await openDocShell({
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'] ?? '/root',
      LANG: 'C.UTF-8',
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      INSTALL_ID: install,
    });
    try {
      for (const step of steps) await take(shell, step, page);
    } finally {
      await shell.close();
      await removeInstall(docker, install);
    }
  });
});
