/**
 * When a schedule is due next. Only ever asked forward. Our rules for changed clocks (feature D3, ADR 0013): a fixed time
 * in the gap runs once, at the first instant after it; a fixed time that comes twice runs at its first coming; wildcard
 * and stepped hours follow the hours that really pass.
 */
import { assertNever } from '../errors.ts';
import { nextWall } from './next-wall.ts';
import type { EverySchedule, FieldsSchedule, Schedule } from './schedule.ts';
import { firstChange, offsetAt, wallAt } from './time-zone.ts';

const SECOND = 1_000;
/** No slot is before 1970, or in the year 10000 or later. */
const END = Date.UTC(10_000);
/** Farther from UTC than any clock, even across a day that a zone has left out. */
const REACH = 36 * 3_600_000;

/**
 * The first instant at which a zone's clock shows a time. For a time in a gap the first one after the gap, or undefined
 * when those are to be left out.
 */
const instantOf = ({ timeZone, inGap }: FieldsSchedule, wall: number): number | undefined => {
  let start = wall - REACH;
  for (;;) {
    const at = wall - offsetAt(timeZone, start);
    if (at < start) return inGap === 'run' ? start : undefined;
    const change = firstChange(timeZone, start, wall + REACH);
    if (change === undefined || at < change) return at;
    start = change;
  }
};

const nextFixed = (schedule: FieldsSchedule, after: number): number => {
  const { timeZone, pattern } = schedule;
  let wall = wallAt(timeZone, after);
  for (;;) {
    wall = nextWall(pattern, wall);
    const at = instantOf(schedule, wall);
    if (at === undefined) continue;
    if (at > after || at >= END) return at;
    // `after` lies where the clock shows times for the second time: on to where it was turned back.
    const turned = firstChange(timeZone, at, after) ?? after;
    wall = turned + (wall - at) - SECOND;
  }
};

const nextElapsed = ({ timeZone, pattern }: FieldsSchedule, after: number): number => {
  let start = after + SECOND;
  for (;;) {
    const offset = offsetAt(timeZone, start);
    const at = nextWall(pattern, start - SECOND + offset) - offset;
    const change = firstChange(timeZone, start, at);
    if (change === undefined || at >= END) return at;
    start = change;
  }
};

const nextBeat = ({ anchorAt, everyMs }: EverySchedule, after: number): number => {
  const beats = Math.floor((after - anchorAt) / everyMs) + 1;
  return anchorAt + Math.max(beats, 1) * everyMs;
};

const nextOf = (schedule: Schedule, after: number): number => {
  switch (schedule.kind) {
    case 'every':
      return nextBeat(schedule, after);
    case 'fields':
      return schedule.hours === 'fixed' ? nextFixed(schedule, after) : nextElapsed(schedule, after);
    default:
      return assertNever(schedule);
  }
};

/**
 * The first slot later than an instant, epoch ms; undefined when there is none before the year 10000, and for an instant
 * that is no number.
 */
export const nextSlot = (schedule: Schedule, after: number): number | undefined => {
  if (!(after < END)) return undefined;
  const slot = nextOf(schedule, Math.max(Math.floor(after / SECOND) * SECOND, -SECOND));
  return slot < END ? slot : undefined;
};
