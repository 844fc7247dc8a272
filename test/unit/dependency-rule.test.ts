/** Reads every import under src/ and holds it against the dependency rule of the architecture (§2). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DRIVERS, FOLDERS, layerOf, mayImport } from '../../scripts/dependency-rule.ts';

const SRC = resolve(import.meta.dirname, '../../src');

const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sourceFiles(join(folder, entry.name))
      : entry.name.endsWith('.ts')
        ? [join(folder, entry.name)]
        : [],
  );

/** Every module named by a static, re-exporting or dynamic import. */
const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)['"]([^'"]+)['"]/gm)].map(([, name]) => name ?? '');

const violationsIn = (file: string, text: string): string[] => {
  const from = relative(SRC, file);
  return importsOf(text).flatMap((name) => {
    const target = name.startsWith('.') ? relative(SRC, resolve(dirname(file), name)) : name;
    return mayImport(from, target, name.startsWith('.')) ? [] : [`${from} imports ${target}`];
  });
};

describe('the dependency rule', () => {
  const files = sourceFiles(SRC);
  it('covers every file', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(files.filter((file) => layerOf(relative(SRC, file)) === undefined)).toEqual([]);
  });
  it('holds for every import', () => {
    expect(files.flatMap((file) => violationsIn(file, readFileSync(file, 'utf8')))).toEqual([]);
  });
  it('process.env is read in the two config files only', () => {
    const readers = files
      .filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(SRC, file));
    expect(readers.filter((file) => file !== 'config.ts' && file !== 'runtime/config.ts')).toEqual([]);
  });
  it('no clock, chance or timer in domain and machines', () => {
    const impure = /Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.now|randomUUID/;
    const found = files.filter((file) => /\/(domain|machines)\//.test(file) && impure.test(readFileSync(file, 'utf8')));
    expect(found.map((file) => relative(SRC, file))).toEqual([]);
  });
  it('no file is longer than 250 lines', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > 250);
    expect(long.map((file) => relative(SRC, file))).toEqual([]);
  });
  it('can fail: it names what it should', () => {
    const check = (from: string, text: string): string[] => violationsIn(join(SRC, from), text);
    expect(check('domain/x.ts', "import { a } from '../machines/plan.ts';")).toHaveLength(1);
    expect(check('domain/x.ts', "import { a } from 'zod';")).toHaveLength(1);
    expect(check('domain/x.ts', "import { a } from 'cron-parser';")).toHaveLength(1);
    expect(check('domain/cron/x.ts', "import { a } from 'cron-parser';")).toEqual([]);
    expect(check('adapters/docker/x.ts', "import { a } from '../embedded/y.ts';")).toHaveLength(1);
    expect(check('adapters/docker/x.ts', "import { a } from '../../controllers/y.ts';")).toHaveLength(1);
    expect(check('api/x.ts', "import { a } from '../controllers/reconcile-bot.ts';")).toHaveLength(1);
    expect(check('controllers/x.ts', "const a = await import('dockerode');")).toHaveLength(1);
    expect(check('cli/x.ts', "export { a } from '../controllers/y.ts';")).toHaveLength(1);
    expect(check('controllers/x.ts', "import { map } from 'rxjs';")).toEqual([]);
    expect(Object.keys(DRIVERS)).toContain('xstate');
    expect(FOLDERS).toContain('runtime');
  });
});
