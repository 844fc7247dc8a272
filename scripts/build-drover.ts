/**
 * Bundles the command line and the controller with their libraries: reading hundreds of small files is most of what a start costs
 * otherwise.
 */
import { rm } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = resolve(ROOT, 'dist');

/** What must lie in node_modules: libraries that load a native part or files beside them, or start a thread from a file. */
const EXTERNAL = ['libsql', 'ssh2', 'pino', 'pino-pretty'];

/** CommonJS libraries inside an ES module still ask for Node's own modules by `require`. */
const REQUIRE =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

const BUNDLE = {
  entryPoints: { drover: resolve(ROOT, 'src/cli/main.ts') },
  outdir: DIST,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: EXTERNAL,
  banner: { js: REQUIRE },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Into dist/. */
export const buildDrover = async (): Promise<void> => {
  await rm(DIST, { recursive: true, force: true });
  await build({ ...BUNDLE, sourcemap: true });
};

/** The same without touching dist/, which others may be running: path below it → content. */
export const bundleDrover = async (): Promise<ReadonlyMap<string, Buffer>> => {
  const { outputFiles } = await build({ ...BUNDLE, write: false });
  const files = outputFiles.map(({ path, contents }) => [relative(DIST, path), Buffer.from(contents)] as const);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
};
