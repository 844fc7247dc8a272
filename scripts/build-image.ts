/** The bot image: `runtime execute` and the wrappers on the base. */
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type Docker from 'dockerode';
import { build } from 'esbuild';
import type { Progress } from './base-image.ts';
import { ensureTaggedImage, type ContextFiles } from './tagged-image.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** What a program loads only on demand, and from a file of its own: path in the sources → path in the image. */
type Apart = Readonly<Record<string, string>>;

/** A program of the runtime as one file that Node runs by its first line. */
const bundle = async (entry: string, apart: Apart = {}): Promise<Buffer> => {
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
    plugins: [
      {
        name: 'apart',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
            const file = apart[relative(ROOT, resolve(resolveDir, path))];
            return file === undefined ? undefined : { path: file, external: true };
          });
        },
      },
    ],
  });
  return Buffer.from(outputFiles[0]?.contents ?? []);
};

const contextFiles = async (): Promise<ContextFiles> =>
  new Map([
    ['Dockerfile', await readFile(resolve(ROOT, 'compose/bot-image/Dockerfile'))],
    // Each start of a bot or a query reads it all: what only an operator's command needs is a file of its own.
    ['runtime', await bundle('src/runtime/main.ts', { 'src/runtime/state/command.ts': '/app/state.cjs' })],
    ['state.cjs', await bundle('src/runtime/state/command.ts')],
    // A program of its own: the client of the archive store is in memory only while something is moved.
    ['transfer.cjs', await bundle('src/runtime/transfer/entry.ts')],
    // Likewise the client of the bus: only where BOT_NATS_URL asks for it.
    ['live.cjs', await bundle('src/runtime/logs/live.ts')],
    ['node_bot.js', await readFile(resolve(ROOT, 'src/runtime/wrappers/node_bot.cjs'))],
    ['large_config.cjs', await readFile(resolve(ROOT, 'src/runtime/wrappers/large_config.cjs'))],
    [
      'large_config/sitecustomize.py',
      await readFile(resolve(ROOT, 'src/runtime/wrappers/large_config/sitecustomize.py')),
    ],
    ['query_node.cjs', await readFile(resolve(ROOT, 'src/runtime/wrappers/query_node.cjs'))],
    [
      'query_python/sitecustomize.py',
      await readFile(resolve(ROOT, 'src/runtime/wrappers/query_python/sitecustomize.py')),
    ],
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
