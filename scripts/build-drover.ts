/** Bundles the command line and the controller into dist/, so that they start fast. Libraries stay in node_modules. */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

export const buildDrover = async (): Promise<void> => {
  await rm(resolve(ROOT, 'dist'), { recursive: true, force: true });
  await build({
    entryPoints: { drover: resolve(ROOT, 'src/cli/main.ts') },
    outdir: resolve(ROOT, 'dist'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  });
};
