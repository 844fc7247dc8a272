/** What a bot says of its own end in result.json (contract §6.3). */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifyExit } from '../../src/machines/classify-exit.ts';
import { watchResult } from '../../src/runtime/bot-result.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'drover-result-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const put = (text: string): void => {
  writeFileSync(join(folder, 'result.json'), text);
};

describe('case D6: the result of a bot', () => {
  it.each([
    ['{"status":"error","message":"boom"}', 'boom'],
    ['{"status":"error","message":"two\\nlines\\u001b[31m"}', 'two lines [31m'],
    [JSON.stringify({ message: 'x'.repeat(2_000) }), 'x'.repeat(500)],
    ['{"status":"error"}', undefined],
    ['["boom"]', undefined],
    ['{"message":', undefined],
    [JSON.stringify({ message: 'boom', data: 'x'.repeat(70_000) }), undefined],
  ])('%j', (text, expected) => {
    const read = watchResult(folder);
    put(text);
    expect(read()).toBe(expected);
  });
  it('says nothing when it is of an earlier run, when there is none, and when it is a link', () => {
    expect(watchResult(folder)()).toBeUndefined();
    put('{"message":"old"}');
    expect(watchResult(folder)()).toBeUndefined();
    const read = watchResult(folder);
    rmSync(join(folder, 'result.json'));
    symlinkSync('/etc/passwd', join(folder, 'result.json'));
    expect(read()).toBeUndefined();
  });
  it('is the reason of its exit', () => {
    const exit = { code: 1, oomKilled: false, finishedAt: 1, logTail: [], inEngineGap: false } as const;
    const report = { attempt: 1, phase: 'bot', code: 1, message: 'boom' } as const;
    expect(classifyExit({ ...exit, report }, false)).toMatchObject({ class: 'appError', detail: 'boom' });
    expect(classifyExit({ ...exit, code: 0, report: { ...report, code: 0 } }, false)).toEqual({
      class: 'completed',
      terminal: false,
    });
  });
});
