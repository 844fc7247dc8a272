/** Reads every file under src/: its imports follow the dependency rule of the architecture (§2), and it has at most 350 lines. */
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

/** Without comments, which may speak of anything. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

/** Names of RxJS that need no time. What is in neither list is to be sorted into one before a controller may use it. */
const TIMELESS = new Set(
  'catchError concatMap defer EMPTY exhaustMap filter finalize from groupBy map merge mergeMap Observable of share SchedulerAction SchedulerLike Subject Subscription switchMap takeUntil tap'.split(
    ' ',
  ),
);
/** Those that wait, by a scheduler that is given last or before a configuration. */
const WAITING = new Set('auditTime bufferTime debounceTime delay interval sampleTime throttleTime timer'.split(' '));

/** Whatever takes time or waits, other than by the clock port. Yielding to the event loop (setImmediate) is no wait. */
const clockFaults = (from: string, text: string): string[] => {
  const code = codeOf(text);
  const faults: string[] = [];
  const global =
    /\b(?:setTimeout|setInterval|performance|hrtime|uptime)\b|\bDate\.now\b|\bDate\s*\(\s*\)|\bnew\s+Date\b(?!\s*\()|\bAbortSignal\.timeout\b|\bAtomics\.wait/;
  const taken = global.exec(code);
  if (taken !== null) faults.push(`${from}: ${taken[0]}`);
  for (const [statement, names = '', module = ''] of code.matchAll(
    /\b(?:import|export)\s+([^'";]*?)\s*\bfrom\s+['"]([^'"]+)['"]/g,
  )) {
    const named = /^(?:type\s+)?\{([\s\S]*)\}$/.exec(names.trim())?.[1];
    const parts = (named ?? '').split(',').map((part) => part.trim().replace(/^type\s+/, ''));
    const imported = parts.filter((part) => part !== '');
    if (/^(?:node:)?(?:timers(?:\/promises)?|perf_hooks)$/.test(module)) {
      if (named === undefined || imported.some((name) => !/^setImmediate(?:\s+as\s+\w+)?$/.test(name))) {
        faults.push(`${from}: ${statement}`);
      }
    }
    if (!/^rxjs(?:\/|$)/.test(module)) continue;
    if (named === undefined || module !== 'rxjs') faults.push(`${from}: ${statement}`);
    for (const name of imported) {
      if (TIMELESS.has(name)) continue;
      if (!WAITING.has(name)) faults.push(`${from}: ${name} of rxjs`);
      // Also where it is not called but handed on, and so could be called by another.
      const uses = [...code.replaceAll(statement, '').matchAll(new RegExp(`\\b${name}\\b(\\([^()]*\\))?`, 'g'))];
      if (uses.some(([, given]) => given === undefined || !/\bscheduler\b/.test(given))) {
        faults.push(`${from}: ${name} without a scheduler`);
      }
    }
  }
  if (/\b(?:import|require|getBuiltinModule)\s*\(\s*['"](?:node:)?(?:timers|perf_hooks|rxjs)/.test(code)) {
    faults.push(`${from}: imports by a call`);
  }
  return faults;
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
  it('controllers take time and every wait from the clock port', () => {
    const inControllers = files.filter((file) => {
      const path = relative(SRC, file);
      return path.startsWith('controllers/') || path === 'main.ts';
    });
    expect(inControllers.flatMap((file) => clockFaults(relative(SRC, file), readFileSync(file, 'utf8')))).toEqual([]);
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
  it('no file in src/ has more than 350 lines', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > 350);
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
  it.each([
    "import { setTimeout as sleep } from 'node:timers/promises';",
    "import { scheduler } from 'timers/promises';",
    "import * as timers from 'node:timers/promises';",
    "import timers from 'timers';",
    "import { setImmediate, setInterval as every } from 'node:timers';",
    "export { setTimeout } from 'node:timers';",
    "import { performance as p } from 'node:perf_hooks';",
    "const { scheduler } = await import('node:timers/promises');",
    'await new Promise((done) => setTimeout(done, 5));',
    'globalThis.setTimeout(f, 5);',
    'const now = process.hrtime.bigint();',
    'const now = performance.now();',
    'const now = +new Date;',
    'const now = +new Date();',
    'const now = Date.now();',
    'const now = Date();',
    'const signal = AbortSignal.timeout(5);',
    "import { interval as every } from 'rxjs';\nevery(5);",
    "import { interval } from 'rxjs';\ninterval(5);",
    "import { delay } from 'rxjs';\nconst d = delay;\nd(5);",
    "import { timer, type Observable } from 'rxjs';\ntimer(5, 5, scheduler); timer(5);",
    "import * as rx from 'rxjs';",
    "import { delay } from 'rxjs/operators';\ndelay(5, scheduler);",
    "import { asyncScheduler } from 'rxjs';",
    "import { retry } from 'rxjs';\nretry({ delay: 5 });",
  ])('can fail: %s is a wait beside the clock port', (code) => {
    expect(clockFaults('controllers/x.ts', code)).not.toEqual([]);
  });
  it.each([
    "import { setImmediate as turn } from 'node:timers/promises';",
    "import { map, timer } from 'rxjs';\nconst t = timer(5, scheduler);",
    '// What setTimeout and Date.now do is not done here.',
    'const shown = new Date(at).toISOString();',
    'const timers = createTimerSource(clock);',
  ])('takes no offence at %s', (code) => {
    expect(clockFaults('controllers/x.ts', code)).toEqual([]);
  });
});
