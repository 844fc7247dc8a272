/** Golden lines: operators and their scripts read them, so they change on purpose or not at all. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { causeText, durationText, transitionJson, transitionLine } from '../../src/domain/transition-line.ts';
import type { BotTransition } from '../../src/domain/transition.ts';
import type { Commit, StoredEvent } from '../../src/domain/recorded.ts';
import { createTransitionFold } from '../../src/controllers/transition-fold.ts';
import { silentLogger } from '../support/silent-logger.ts';

const REPLAY = join(import.meta.dirname, '../replay/logs');
const GOLDEN = join(import.meta.dirname, 'golden');

/** The recorded lives of three bots, as transitions. */
const transitions = ['lifecycle', 'crash-loop', 'stubborn-stop'].flatMap((name): readonly BotTransition[] => {
  const lines = readFileSync(join(REPLAY, `v1-${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const fold = createTransitionFold(silentLogger);
  return lines.flatMap((line, index) => {
    const event = JSON.parse(line) as StoredEvent;
    const commit: Commit = {
      position: index + 1,
      stream: `bot:${name}`,
      from: index + 1,
      to: index + 1,
      events: [event],
      commandId: 'c',
      causes: [
        { kind: 'docker', action: 'die', container: '0123456789abcdef', time: 1 },
        { kind: 'tick', number: 12 },
      ],
      prevHash: '',
      hash: '',
      recordedAt: Number(event.data['at']),
      writer: 'w',
      epoch: 1,
    };
    return fold(commit) as readonly BotTransition[];
  });
});

const matchesGolden = (file: string, text: string): void => {
  const path = join(GOLDEN, file);
  if (process.env['GOLDEN_RECORD'] !== undefined && !existsSync(path)) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
};

describe('the transition log', () => {
  it('is pretty on a terminal', () => {
    matchesGolden('transitions.txt', `${transitions.map((one) => transitionLine(one)).join('\n')}\n`);
  });
  it('is JSON otherwise', () => {
    matchesGolden('transitions.jsonl', `${transitions.map((one) => JSON.stringify(transitionJson(one))).join('\n')}\n`);
  });
  it('is one line each, whatever a bot or a message put into it', () => {
    const [first] = transitions;
    if (first === undefined) throw new Error('no transitions');
    const hostile = {
      ...first,
      botId: 'a\nb\u001b[31m',
      event: { type: 'SpecRejected' as const, at: 1, code: 'X', reason: 'line\r\nbreak\u0007' },
      causes: [{ kind: 'request' as const, requestId: 'r\n1', actor: 'x\u001b', action: 'y' }],
    };
    const line = transitionLine(hostile);
    // eslint-disable-next-line no-control-regex -- control characters are exactly what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f]/);
    expect(JSON.stringify(transitionJson(hostile))).not.toContain('\n');
  });
  it.each([
    [0, '0ms'],
    [950, '950ms'],
    [1_234, '1.2s'],
    [65_000, '1m05s'],
    [3_600_000, '1h00m'],
    [90_000_000, '1d01h'],
  ])('says %i ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
  it('names each kind of cause', () => {
    expect(causeText({ kind: 'message', subject: 'the0.bot.updated', sequence: 15 })).toBe('the0.bot.updated #15');
    expect(causeText({ kind: 'timer' })).toBe('timer');
    expect(causeText({ kind: 'spec', id: 'a' })).toBe('spec a');
    expect(causeText({ kind: 'start' })).toBe('start');
  });
});
