/** The bot image: built from one Dockerfile, tagged by what is in it, not built again when nothing of that changed. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { build } from 'esbuild';
import { pack } from 'tar-stream';
import { DroverError } from '../src/domain/errors.ts';
import { ensureBaseImage, type Progress } from './base-image.ts';

const ROOT = resolve(import.meta.dirname, '..');
export const LATEST = 'drover-bot:latest';

/** `runtime execute` as one file that Node runs by its first line. */
const bundleRuntime = async (): Promise<Buffer> => {
  const { outputFiles } = await build({
    entryPoints: [resolve(ROOT, 'src/runtime/main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minify: true,
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  return Buffer.from(outputFiles[0]?.contents ?? []);
};

const contextFiles = async (): Promise<ReadonlyMap<string, Buffer>> =>
  new Map([
    ['Dockerfile', await readFile(resolve(ROOT, 'compose/bot-image/Dockerfile'))],
    ['runtime', await bundleRuntime()],
    ['node_bot.js', await readFile(resolve(ROOT, 'src/runtime/wrappers/node_bot.cjs'))],
    ['python_bot.py', await readFile(resolve(ROOT, 'src/runtime/wrappers/python_bot.py'))],
  ]);

const digestOf = (files: ReadonlyMap<string, Buffer>): string => {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0] ?? '');
  for (const [name, content] of files) hash.update(name).update(content);
  return hash.digest('hex').slice(0, 12);
};

const isThere = (docker: Docker, tag: string): Promise<boolean> =>
  docker
    .getImage(tag)
    .inspect()
    .then(
      () => true,
      () => false,
    );

/**
 * Makes the image if need be. Returns its content tag; `drover-bot:latest` names the same image.
 * @throws DroverError IMAGE_UNAVAILABLE
 */
export const ensureBotImage = async (options: { docker: Docker; progress: Progress }): Promise<string> => {
  const { docker, progress } = options;
  const files = await contextFiles();
  const digest = digestOf(files);
  const tag = `drover-bot:${digest}`;
  if (!(await isThere(docker, tag))) {
    const base = await ensureBaseImage(docker, progress);
    const tar = pack();
    for (const [name, content] of files) tar.entry({ name, mode: 0o644, mtime: new Date(0) }, content);
    tar.finalize();
    progress('building the bot image');
    const context = await buffer(tar);
    // The plain builder: it is part of every engine, and one image needs no other.
    const { Readable } = await import('node:stream');
    const stream = await docker.buildImage(Readable.from([context]), {
      t: tag,
      buildargs: { BASE: base },
      version: '1',
    });
    await new Promise<void>((done, reject) => {
      docker.modem.followProgress(
        stream,
        (error: Error | null, output: { error?: string }[] | null) => {
          const failed = error?.message ?? output?.find((line) => line.error !== undefined)?.error;
          if (failed === undefined) done();
          else reject(new DroverError('IMAGE_UNAVAILABLE', `the bot image could not be built: ${failed}`));
        },
        (event: { stream?: string }) => {
          progress('building the bot image', event.stream?.trim());
        },
      );
    });
  }
  await docker.getImage(tag).tag({ repo: 'drover-bot', tag: 'latest' });
  return tag;
};
