/** The bot image: `runtime execute` and the wrappers on the base. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type Docker from 'dockerode';
import { build } from 'esbuild';
import type { Progress } from './base-image.ts';
import { ensureTaggedImage, type ContextFiles } from './tagged-image.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** A program of the runtime as one file that Node runs by its first line. */
const bundle = async (entry: string): Promise<Buffer> => {
  const { outputFiles } = await build({
    entryPoints: [resolve(ROOT, entry)],
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

const contextFiles = async (): Promise<ContextFiles> =>
  new Map([
    ['Dockerfile', await readFile(resolve(ROOT, 'compose/bot-image/Dockerfile'))],
    ['runtime', await bundle('src/runtime/main.ts')],
    // A program of its own: the client of the archive store is in memory only while something is moved.
    ['transfer.cjs', await bundle('src/runtime/transfer/entry.ts')],
    ['node_bot.js', await readFile(resolve(ROOT, 'src/runtime/wrappers/node_bot.cjs'))],
    ['python_bot.py', await readFile(resolve(ROOT, 'src/runtime/wrappers/python_bot.py'))],
  ]);

/**
 * Makes the image if need be. Returns its content tag; `drover-bot:latest` names the same image.
 * @throws DroverError IMAGE_UNAVAILABLE
 */
export const ensureBotImage = async (options: { docker: Docker; progress: Progress }): Promise<string> =>
  ensureTaggedImage(
    options.docker,
    { repository: 'drover-bot', tag: 'latest', what: 'the bot image', files: await contextFiles() },
    options.progress,
  );
