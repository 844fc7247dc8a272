import { BOT_EVENT_GROUPS, SCHEDULE_EVENT_GROUPS, type Group } from './event-notes.ts';
import { code, next, page, table } from './markdown.ts';

const sections = <T extends string>(groups: readonly Group<T>[]): readonly string[] =>
  groups.map(({ title, intro, events }) =>
    [
      `### ${title}`,
      intro,
      table(
        ['event', 'meaning'],
        Object.entries(events).map(([name, note]) => [code(name), note as string]),
      ),
    ].join('\n\n'),
  );

export const eventsPage = (): string =>
  page(
    '# Events and transitions',
    'This page is for operators who read the transition log, and for programs that follow it. It lists every event with its meaning.',
    'drover writes each event to an append-only log before it acts. Events in the past tense are facts that drover observed; events that end ' +
      'in `Requested`, and the other decisions, are what drover is about to do. Event names are stable: a program may rely on them.',
    '## The transition log',
    '`drover transitions -f` prints one line for each event: the time, the bot, the state before and after, the event, its details, the number of ' +
      'the start, the container, how long the former state lasted, and after `←` the cause. With `-o json` each line is an object:',
    table(
      ['field', 'meaning'],
      [
        ['`time`', 'when the event was recorded, ISO 8601, UTC'],
        ['`seq`', 'its place in the whole log, `<position>.<index>`; pass it back to continue from there'],
        ['`bot`', 'the id of the bot or schedule; of a run `<schedule>/<run key>`'],
        ['`kind`', '`run` or `schedule`; absent for a bot'],
        ['`from`, `to`', 'the state before and after the event'],
        ['`event`', 'the name of the event'],
        ['`cause`', 'what made drover reconcile: a message, an engine event, the tick, a timer, a document, a request'],
        ['`attempt`', 'the number of the start'],
        ['`container`', 'the first 12 characters of the container id, or null'],
        ['`lasted_ms`', 'how long the former state lasted; null when the state did not change'],
      ],
    ),
    'The details of an event follow as further fields in snake case, for example `exit_code`, `class`, `reason` or `delay_ms`.',
    '## Events of bots and runs',
    ...sections(BOT_EVENT_GROUPS),
    '## Events of schedules',
    ...sections(SCHEDULE_EVENT_GROUPS),
    next(
      '[States and conditions](states-and-conditions.md)',
      '[The event log](../explanation/event-log.md): why it is built this way',
      '[Exit classes](exit-classes.md)',
    ),
  );
