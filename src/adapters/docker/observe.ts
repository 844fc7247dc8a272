/** One bot as the engine shows it, in our words. */
import type Docker from 'dockerode';
import { containerName, LABEL, readTags, type ContainerTags } from '../../domain/naming.ts';
import type {
  ContainerStatus,
  InstanceRef,
  ObservedContainer,
  ObservedExit,
  Observation,
} from '../../domain/observation.ts';
import { partsOfRun } from '../../domain/run-id.ts';
import { statusOf, toEngineError } from './docker-errors.ts';
import type { EngineGaps } from './engine-gaps.ts';
import { readExitReport } from './exit-report.ts';
import type { SyncReportReader } from './sync-report.ts';
import { readLogTail } from './log-tail.ts';

export interface ObserveContext {
  readonly docker: Docker;
  readonly install: string;
  readonly node: () => Promise<string>;
  readonly gaps: EngineGaps;
  readonly syncReport: SyncReportReader;
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

const exitOf = async (
  context: ObserveContext,
  info: Docker.ContainerInspectInfo,
  tags: ContainerTags,
): Promise<ObservedExit> => {
  const container = context.docker.getContainer(info.Id);
  const [report, logTail] = await Promise.all([readExitReport(container, tags.attempt), readLogTail(container)]);
  const { ExitCode: code, OOMKilled: oomKilled, Error: error, FinishedAt } = info.State;
  const finishedAt = toMillis(FinishedAt);
  return {
    code,
    oomKilled,
    ...(error === '' ? {} : { error }),
    finishedAt,
    ...(report === undefined ? {} : { report }),
    logTail,
    inEngineGap: context.gaps.includes(finishedAt),
  };
};

const present = async (
  context: ObserveContext,
  info: Docker.ContainerInspectInfo,
  tags: ContainerTags,
): Promise<ObservedContainer> => {
  const status = toStatus(info.State.Status);
  const { attempt, incarnation, generation, specHash, codeDigest } = tags;
  const ended = status === 'exited' || status === 'dead';
  const report = await context.syncReport(info.Id, attempt, ended);
  return {
    ref: { node: await context.node(), id: info.Id },
    status,
    pid: info.State.Pid,
    attempt,
    incarnation,
    generation,
    specHash,
    startedAt: toMillis(info.State.StartedAt),
    ...(codeDigest === undefined ? {} : { codeDigest }),
    ...(ended ? { exit: await exitOf(context, info, tags) } : {}),
    ...(report === undefined ? {} : { report }),
  };
};

/** Live containers of the predecessor for the same bot: managed, and of no install of ours. */
const foreignTo = async ({ docker, node }: ObserveContext, id: string): Promise<InstanceRef[]> => {
  // A run of the predecessor has no name that says which slot it is for.
  if (partsOfRun(id) !== undefined) return [];
  const found = await docker.listContainers({
    filters: { label: [`${LABEL.managed}=true`, `${LABEL.id}=${id}`], status: ['running', 'paused', 'restarting'] },
  });
  const name = await node();
  return found
    .filter(({ Labels }) => Labels[LABEL.install] === undefined && Labels[LABEL.type] !== 'scheduled')
    .map(({ Id }) => ({ node: name, id: Id }));
};

/** @throws DroverError when the engine does not answer; the engine port turns that into `unknown` */
export const observeBot = async (context: ObserveContext, id: string): Promise<Observation> => {
  let info: Docker.ContainerInspectInfo;
  try {
    info = await context.docker.getContainer(containerName(context.install, id)).inspect();
  } catch (thrown) {
    if (statusOf(thrown) === 404) return { kind: 'absent', foreign: await foreignTo(context, id) };
    throw toEngineError(thrown);
  }
  const tags = readTags(info.Config.Labels);
  return tags?.install === context.install && tags.botId === id
    ? { kind: 'present', container: await present(context, info, tags) }
    : { kind: 'nameTaken', ref: { node: await context.node(), id: info.Id } };
};
