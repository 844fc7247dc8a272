/** Hash of all that a schedule is: what its runs run with, its slots, and how it is kept. Stable over key order. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';
import type { ScheduleSpec } from './schedule.ts';
import { specHash } from './spec-hash.ts';

/** 16 hex digits. */
export const scheduleHash = ({ bot, cron, policy }: ScheduleSpec): string =>
  createHash('sha256')
    .update(canonicalJson({ bot: specHash(bot), cron, policy }))
    .digest('hex')
    .slice(0, 16);
