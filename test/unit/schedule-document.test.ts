/** Documents of scheduled bots: what they wish, and why they are refused (contract §3, fault R3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpecDefaults } from '../../src/documents/bot-document.ts';
import { decodeScheduleDocument } from '../../src/documents/schedule-document.ts';
import { DEFAULT_SCHEDULE_POLICY } from '../../src/domain/schedule-policy.ts';
import { referenceDocument } from '../support/reference-document.ts';

const defaults: SpecDefaults = {
  image: 'drover-bot:latest',
  limits: { memoryMb: 512, cpuShares: 512, pids: 256 },
  stopHookMs: 0,
  stopGraceMs: 10_000,
  finalSyncMs: 60_000,
  restartPolicy: 'always',
};
const given = (config: object = {}, drover?: object) =>
  referenceDocument('s', {
    config: { type: 'scheduled/s', schedule: '*/5 * * * *', ...config },
    custom: { type: 'scheduled' },
    ...(drover === undefined ? {} : { root: { drover } }),
  });
const decode = (document: unknown) => decodeScheduleDocument('s', document, defaults);

describe('a scheduled bot’s document', () => {
  it('of the reference is what it says, kept as usual', () => {
    expect(decode(given())).toMatchObject({
      kind: 'spec',
      enabled: true,
      spec: {
        bot: { id: 's', runtime: 'nodejs20' },
        cron: { kind: 'fields', text: '*/5 * * * *', timeZone: 'UTC', inGap: 'run' },
        policy: DEFAULT_SCHEDULE_POLICY,
      },
    });
  });
  it('may say how it is kept, in durations of seconds', () => {
    const drover = {
      timeZone: 'Asia/Kathmandu',
      dstGap: 'skip',
      overlap: 'queueOne',
      missed: 'all',
      missedCap: 3,
      catchUpSeconds: 60,
      startDeadlineSeconds: 0.5,
      maxRunSeconds: 30,
      retries: 2,
      jitterSeconds: 5,
      maxLatenessSeconds: 2,
      pauseAfterFailures: 4,
      keepDays: 30,
      memoryMb: 64,
    };
    expect(decode(given({}, drover))).toMatchObject({
      kind: 'spec',
      spec: {
        bot: { limits: { memoryMb: 64 } },
        cron: { timeZone: 'Asia/Kathmandu', inGap: 'skip' },
        policy: {
          overlap: 'queueOne',
          missed: 'all',
          missedCap: 3,
          catchUpMs: 60_000,
          startDeadlineMs: 500,
          maxRunMs: 30_000,
          retries: 2,
          jitterMs: 5_000,
          maxLatenessMs: 2_000,
          pauseAfterFailures: 4,
          keepMs: 30 * 86_400_000,
        },
      },
    });
  });
  it.each<[string, object, object, string, RegExp]>([
    ['no schedule', { schedule: undefined }, {}, 'SCHEDULE_INVALID', /\/config\/schedule: is missing/],
    ['a number', { schedule: 5 }, {}, 'SCHEDULE_INVALID', /must be a string/],
    ['an impossible date', { schedule: '0 0 31 2 *' }, {}, 'SCHEDULE_INVALID', /never matches/],
    ['an unknown zone', {}, { timeZone: 'Mars/Olympus' }, 'SCHEDULE_INVALID', /Mars\/Olympus/],
    ['an unknown policy', {}, { overlap: 'maybe' }, 'DOCUMENT_INVALID', /\/drover\/overlap/],
    ['a bot of the other kind', { type: 'realtime/s' }, {}, 'DOCUMENT_INVALID', /BotService runs such bots/],
  ])('R3: with %s is refused with the reason', (_what, config, drover, code, reason) => {
    const decoded = decode(given(config, drover));
    expect(decoded).toMatchObject({ kind: 'invalid', code, enabled: true });
    expect(decoded.kind === 'invalid' ? decoded.reason : '').toMatch(reason);
  });
  it('whatever it holds never makes it throw', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (a, b) => {
        for (const value of [a, given({ schedule: a }), { ...given(), drover: b }, given({ drover: a })]) {
          expect(['spec', 'invalid']).toContain(decode(value).kind);
        }
      }),
    );
  });
});
