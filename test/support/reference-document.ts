/** A document as the reference's API writes it (contract §3). */

export interface DocumentChange {
  readonly filePath?: string;
  readonly config?: object;
  /** In `custom.config`. */
  readonly custom?: object;
  readonly root?: object;
}

export const referenceDocument = (id: string, change: DocumentChange = {}): Record<string, unknown> => ({
  id,
  config: { name: id, type: `realtime/${id}`, version: '1.0.0', ...change.config },
  custom: {
    version: '1.0.0',
    filePath: change.filePath ?? `test/${id}/1.0.0`,
    createdAt: '2024-01-01T00:00:00Z',
    updatedAt: '2024-01-01T00:00:00Z',
    config: {
      name: id,
      description: '',
      runtime: 'nodejs20',
      version: '1.0.0',
      author: 'test',
      type: 'realtime',
      entrypoints: { bot: 'main.js' },
      schema: {},
      readme: '',
      metadata: {},
      ...change.custom,
    },
  },
  ...change.root,
});

export interface ScheduleChange extends DocumentChange {
  readonly schedule: string;
  readonly enabled?: boolean;
  /** Our own settings of how it is kept. */
  readonly drover?: object;
}

/** The same of a scheduled bot. */
export const referenceSchedule = (id: string, change: ScheduleChange): Record<string, unknown> => {
  const { schedule, enabled, drover, config, custom, ...rest } = change;
  return referenceDocument(id, {
    ...rest,
    config: {
      type: `scheduled/${id}`,
      schedule,
      ...(enabled === undefined ? {} : { enabled }),
      ...(drover === undefined ? {} : { drover }),
      ...config,
    },
    custom: { type: 'scheduled', ...custom },
  });
};
