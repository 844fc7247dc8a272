import { describe, expect, it } from 'vitest';
import type { ExitReport, ObservedExit } from '../../src/domain/observation.ts';
import { classifyExit } from '../../src/machines/classify-exit.ts';
import { anExit } from '../support/given.ts';

const report = (change: Partial<ExitReport>): Partial<ObservedExit> => ({
  report: { attempt: 1, phase: 'bot', ...change },
});

describe('exit classes (feature C5)', () => {
  const table: [string, Partial<ObservedExit>, boolean, string][] = [
    ['our own SIGKILL is never labelled OOM', { code: 137, oomKilled: true }, true, 'stoppedByUs'],
    ['an exit inside an engine gap', { code: 137, inEngineGap: true }, false, 'engineLost'],
    ['a bot that ends by itself', { code: 0, ...report({ code: 0 }) }, false, 'completed'],
    ['R50: a forged report of success', { code: 137, ...report({ code: 0 }) }, false, 'killedByOthers'],
    [
      'R50: a forged report of a start that failed',
      { code: 0, ...report({ phase: 'code', error: { code: 'ARCHIVE_CORRUPT', detail: '' } }) },
      false,
      'completed',
    ],
    ['a bot that fails', { code: 3, ...report({ code: 3 }) }, false, 'appError'],
    [
      'a bot killed for memory',
      { code: 137, ...report({ signal: 'SIGKILL', oomKills: { before: 0, after: 1 } }) },
      false,
      'oom',
    ],
    [
      'a child killed for memory, the bot failing later',
      report({ code: 1, oomKills: { before: 0, after: 2 } }),
      false,
      'appError',
    ],
    [
      'a bot killed from inside without OOM',
      { code: 137, ...report({ signal: 'SIGKILL', oomKills: { before: 1, after: 1 } }) },
      false,
      'killedByOthers',
    ],
    ['a bot that segfaults', { code: 139, ...report({ signal: 'SIGSEGV' }) }, false, 'appError'],
    ['docker stop by hand', { code: 0, ...report({ code: 0, received: 'SIGTERM' }) }, false, 'killedByOthers'],
    ['docker kill: no report', { code: 137 }, false, 'killedByOthers'],
    ['the whole container killed for memory', { code: 137, oomKilled: true }, false, 'oom'],
    ['the sticky flag alone', { code: 1, oomKilled: true }, false, 'appError'],
    ['a command that cannot be run', { code: 127 }, false, 'startError'],
    ['a start the engine failed', { code: 1, error: 'OCI runtime create failed' }, false, 'startError'],
    [
      'an exit before the bot ran',
      report({ phase: 'code', error: { code: 'ARCHIVE_MISSING', detail: '' } }),
      false,
      'startError',
    ],
    ['a stop from outside before the bot ran', report({ phase: 'code', received: 'SIGTERM' }), false, 'killedByOthers'],
    ['no report, exit 0', { code: 0 }, false, 'completed'],
  ];
  it.each(table)('%s: %#', (_what, exit, ours, expected) => {
    expect(classifyExit(anExit(exit), ours).class).toBe(expected);
  });
  it('says whether trying again can help', () => {
    const of = (code: 'ARCHIVE_CORRUPT' | 'SPAWN_FAILED'): boolean =>
      classifyExit(anExit(report({ phase: 'code', error: { code, detail: '' } })), false).terminal;
    expect([of('ARCHIVE_CORRUPT'), of('SPAWN_FAILED')]).toEqual([true, false]);
  });
  it('case D11: a bot that was killed for memory is told how much it may use', () => {
    const exit = anExit({ code: 137, oomKilled: true, memoryLimit: 32 * 1024 ** 2 });
    expect(classifyExit(exit, false)).toMatchObject({
      class: 'oom',
      detail: 'the container was killed because memory ran out: `drover.memoryMb` allows it 32 MiB',
    });
  });
});
