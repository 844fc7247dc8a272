/** Short-lived containers of ours beside a bot's volumes, and what is delivered into one that runs. */
import type { BotId } from '../domain/bot.ts';
import type { ContainerPlan } from '../domain/effect.ts';
import type { InstanceRef } from '../domain/observation.ts';
import type { ContainerEngine } from './container-engine.ts';

/** A program of the bot image run with the volumes of one bot, in a container of its own (role `tool`). */
export interface Tool {
  /** Of a bot, or of a run of a schedule. */
  readonly botId: string;
  readonly incarnation: number;
  /** The start whose work is finished: keys written carry its number. */
  readonly attempt: number;
  /** Null: the image of the settings, for a bot whose document is gone. */
  readonly image: string | null;
  /** Arguments of `/app/runtime`, e.g. `['state', 'list']`. */
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Of a run that does not write the state. */
  readonly readsOnly?: true;
}

export interface ToolResult {
  readonly code: number;
  /** Its standard output, bounded. */
  readonly output: string;
  /** Last lines of its standard error. */
  readonly complaints: string;
}

export interface ListedVolume {
  readonly name: string;
  readonly botId: BotId;
  readonly incarnation: number;
  /** The run that has it for itself. */
  readonly run?: string;
}

/** An engine with all that a bot's life needs of it. */
export type Engine = ContainerEngine & ContainerTools;

/** Errors as those of ContainerEngine. */
export interface ContainerTools {
  /** Runs to its end, then removes it; at the timeout it is killed. Several of one bot may run at a time. */
  runTool(tool: Tool): Promise<ToolResult>;
  /**
   * Removes short-lived containers that nobody waits for: of a process that was killed, and what could not be removed at its end.
   * Returns how many there were; one that cannot be removed keeps none of the others. @throws DroverError when they cannot be listed
   */
  removeLeftoverTools(): Promise<number>;
  /** Configuration and store access into a container that already runs (after a restart by hand). */
  deliverAgain(ref: InstanceRef, plan: ContainerPlan): Promise<void>;
  /**
   * Fresh store access into a container that runs, before the old one expires; nothing is done when it was just started with some.
   * Returns when the access that it has now expires, epoch ms; undefined when it does not expire.
   */
  renewAccess(ref: InstanceRef, botId: BotId): Promise<number | undefined>;
  /** Volumes of bots of this install; the shared code cache is not among them. */
  listVolumes(): Promise<readonly ListedVolume[]>;
  /** Done already is done; one in use is left for the next try. @throws ENGINE_ERROR when it is in use */
  removeVolume(name: string): Promise<void>;
  /** Removes what containers left that somebody removed without their volumes; returns how many. @throws as the engine does */
  removeScratch(): Promise<number>;
  /** Free share of the disk under the engine's volumes, 0 to 1; undefined when it cannot be told. */
  diskFree(): Promise<number | undefined>;
}
