/** One bot as the engine shows it, in our words. */
import type Docker from 'dockerode';
import { containerName, readTags, type ContainerTags } from '../../domain/naming.ts';
import type { ContainerStatus, ObservedContainer, ObservedExit, Observation } from '../../domain/observation.ts';
import { statusOf, toEngineError } from './docker-errors.ts';
import type { SyncReport } from '../../domain/sync-report.ts';
import type { EngineGaps } from './engine-gaps.ts';
import type { EngineRestarts } from './engine-restarts.ts';
import type { Foreign } from './foreign.ts';
import { readLastReports } from './exit-report.ts';
import type { SyncReportReader } from './sync-report.ts';
import { readLogTail } from './log-tail.ts';

export interface ObserveContext {
  readonly docker: Docker;
  readonly install: string;
  readonly node: () => Promise<string>;
  readonly gaps: EngineGaps;
  readonly endedWithEngine: EngineRestarts;
  readonly foreign: Pick<Foreign, 'beforeStart' | 'beside'>;
  readonly syncReport: SyncReportReader;
  /** A container that lives is asked for its report only after this time, ms. */
  readonly reportAfterMs: number;
}

const STATUSES: ReadonlySet<string> = new Set([
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
]);

/** A word of a newer engine that we do not know is taken for live: never for gone. */
export const toStatus = (word: string): ContainerStatus => (STATUSES.has(word) ? (word as ContainerStatus) : 'running');

/** 0 for the engine's year 1, its word for never. */
const toMillis = (time: string): number => {
  const millis = Date.parse(time);
  return Number.isNaN(millis) || millis < 0 ? 0 : millis;
};

/** Bytes; 0 without a limit. */
const memoryOf = ({ HostConfig }: Docker.ContainerInspectInfo): number => HostConfig.Memory ?? 0;

const exitOf = async (
  context: ObserveContext,
  info: Docker.ContainerInspectInfo,
  tags: ContainerTags,
): Promise<{ readonly exit: ObservedExit; readonly sync?: SyncReport }> => {
  const container = context.docker.getContainer(info.Id);
  const [{ exit: report, sync }, logTail] = await Promise.all([
    readLastReports(container, tags.attempt),
    readLogTail(container),
  ]);
  const { ExitCode: code, OOMKilled: oomKilled, Error: error, FinishedAt } = info.State;
  const finishedAt = toMillis(FinishedAt);
  // What PID 1 tells of its own end needs no engine to explain it.
  const wasEnded = report === undefined || report.received !== undefined;
  const inEngineGap =
    context.gaps.includes(finishedAt) || (wasEnded && (await context.endedWithEngine({ id: info.Id, finishedAt })));
  const exit: ObservedExit = {
    code,
    oomKilled,
    ...(error === '' ? {} : { error }),
    ...(memoryOf(info) > 0 ? { memoryLimit: memoryOf(info) } : {}),
    finishedAt,
    ...(report === undefined ? {} : { report }),
    logTail,
    inEngineGap,
  };
  return { exit, ...(sync === undefined ? {} : { sync }) };
};

const present = async (
  context: ObserveContext,
  info: Docker.ContainerInspectInfo,
  tags: ContainerTags,
): Promise<ObservedContainer> => {
  const status = toStatus(info.State.Status);
  const { attempt, incarnation, generation, specHash, codeDigest } = tags;
  const ended = status === 'exited' || status === 'dead';
  const startedAt = toMillis(info.State.StartedAt);
  const asks = ended || (status !== 'created' && Date.now() - startedAt >= context.reportAfterMs);
  const last = ended ? await exitOf(context, info, tags) : undefined;
  const told = last?.sync === undefined && asks ? await context.syncReport(info.Id, attempt, ended) : undefined;
  const report = last?.sync ?? told?.report;
  return {
    ref: { node: await context.node(), id: info.Id },
    status,
    pid: info.State.Pid,
    attempt,
    incarnation,
    generation,
    specHash,
    startedAt,
    ...(codeDigest === undefined ? {} : { codeDigest }),
    ...(last === undefined ? {} : { exit: last.exit }),
    ...(report === undefined ? {} : { report }),
    // A frozen container says nothing, and that is known.
    ...(told === undefined || status !== 'running' ? {} : { reportSilentMs: told.silentMs }),
  };
};

/** @throws DroverError when the engine does not answer; the engine port turns that into `unknown` */
export const observeBot = async (context: ObserveContext, id: string): Promise<Observation> => {
  let info: Docker.ContainerInspectInfo;
  try {
    info = await context.docker.getContainer(containerName(context.install, id)).inspect();
  } catch (thrown) {
    if (statusOf(thrown) === 404) return { kind: 'absent', foreign: await context.foreign.beforeStart(id) };
    throw toEngineError(thrown);
  }
  const tags = readTags(info.Config.Labels);
  if (tags?.install !== context.install || tags.botId !== id)
    return { kind: 'nameTaken', ref: { node: await context.node(), id: info.Id } };
  const [container, foreign] = await Promise.all([present(context, info, tags), context.foreign.beside(id)]);
  return { kind: 'present', container, ...(foreign === undefined ? {} : { foreign }) };
};
