/** What is wished of one schedule, from its document. */
import type { DesiredSchedule, ScheduleRequest } from '../../domain/schedule.ts';
import { scheduleHash } from '../../domain/schedule-hash.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import { decodeScheduleDocument } from '../../documents/schedule-document.ts';
import type { SpecRecord } from '../../ports/spec-store.ts';

/** The wish a record stands for, before any guard. */
export const desiredSchedule = (
  record: SpecRecord<ScheduleRequest>,
  defaults: SpecDefaults,
  drained: boolean,
): DesiredSchedule => {
  if (record.document === null) return { kind: 'gone' };
  const decoded = decodeScheduleDocument(record.id, record.document, defaults);
  if (decoded.kind === 'invalid') {
    return { kind: 'invalid', code: decoded.code, reason: decoded.reason, enabled: decoded.enabled };
  }
  const { spec, enabled } = decoded;
  return { kind: 'spec', spec, hash: scheduleHash(spec), enabled, drained, requests: record.requests };
};
