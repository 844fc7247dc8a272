/**
 * A script of the tests as a program that plain Node runs. It is bundled once: a loader of TypeScript in each child costs
 * more than most children do.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Below node_modules, so that the libraries are found from there. */
const FOLDER = resolve(import.meta.dirname, '../../node_modules/.cache/drover-tests');

const made = new Map<string, string>();

const bundle = (file: string): string => {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const content = outputFiles[0]?.contents ?? new Uint8Array();
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const path = join(FOLDER, `${basename(file, '.ts')}-${digest}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  // Another worker may make the same file now: whole files alone come under this name.
  const aside = `${path}.${String(process.pid)}`;
  writeFileSync(aside, content);
  renameSync(aside, path);
  return path;
};

/** `file`: path of a script. Returns the path of its bundle. */
export const childProgram = (file: string): string => {
  const known = made.get(file) ?? bundle(file);
  made.set(file, known);
  return known;
};
