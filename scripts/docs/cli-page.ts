import type { Command, Option } from 'commander';
import { SETTING_NAMES, flagOf } from '../../src/config-table.ts';
import { createProgram } from '../../src/cli/program.ts';
import { code, next, page, table } from './markdown.ts';

const SETTING_FLAGS: ReadonlySet<string> = new Set(SETTING_NAMES.map(flagOf));
const isSetting = ({ long }: Option): boolean => long !== undefined && SETTING_FLAGS.has(long);

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const usage = (command: Command): string => {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const options = command.options.length > 0 ? ['[options]'] : [];
  return ['drover', command.name(), ...options, ...args].join(' ');
};

const section = (command: Command): string => {
  const own = command.options.filter((option) => !isSetting(option) && !option.hidden);
  const takesSettings = command.options.some(isSetting);
  const args = command.registeredArguments.filter(({ description }) => description !== '');
  return [
    `## drover ${command.name()}`,
    sentence(command.description()),
    `\`\`\`text\n${usage(command)}\n\`\`\``,
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            args.map((argument) => [code(argument.name()), argument.description]),
          ),
        ]),
    ...(own.length === 0
      ? []
      : [
          table(
            ['option', 'meaning'],
            own.map(({ flags, description }) => [code(flags), description]),
          ),
        ]),
    ...(takesSettings ? ['It also takes every [setting](configuration.md) as an option.'] : []),
  ].join('\n\n');
};

export const cliPage = (): string => {
  const program = createProgram({
    out: () => undefined,
    isTerminal: false,
    client: () => {
      throw new Error('pages are made without a server');
    },
    env: {},
    signal: new AbortController().signal,
  });
  return page(
    '# Command line',
    'This page is for everybody who types `drover`. It lists every command with its arguments and options.',
    'Commands that change or show something speak to a running drover over its HTTP API. Commands end with exit code 0 when ' +
      'they succeed, 1 when something went wrong (the last lines name the error and its remedy), and 2 when the command line itself is wrong.',
    table(
      ['option of every command', 'meaning'],
      program.options.map(({ flags, description }) => [code(flags), description]),
    ),
    ...program.commands.map(section),
    next('[Configuration](configuration.md)', '[HTTP API](http-api.md)', '[Your first bot](../tutorials/first-bot.md)'),
  );
};
