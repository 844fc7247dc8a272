/** The stream that the API of the platform makes (contract §2). Its name is fixed: tests make and remove it on a server of theirs. */
import type { NatsConnection } from 'nats';
import { until } from '../../scripts/until.ts';

export const STREAM = 'THE0_EVENTS';

/** Also when it is not there. Whoever comes next must not find it: a busy server may be asked more than once. */
export const removeStream = async (nats: NatsConnection): Promise<void> => {
  const { streams } = await nats.jetstreamManager();
  const isGone = (): Promise<boolean> =>
    streams.delete(STREAM).catch((thrown: unknown) => String(thrown).includes('stream not found'));
  await until(isGone, { every: 200, otherwise: () => `the stream ${STREAM} cannot be removed` });
};
