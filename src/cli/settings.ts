/** `drover up`, `drover bot-runner` and `drover config`: those that read the controller's settings. */
import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import { fileKeyOf, flagOf, SETTING_NAMES, SETTINGS, type Setting, type SettingName } from '../config-table.ts';
import { describeConfig, loadConfig, type Config } from '../config.ts';
import type { Duties } from '../up.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';

export type Options = Record<string, string | undefined>;

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Each setting as a flag. */
export const withSettings = (command: Command): Command => {
  command.option('--config <file>', 'YAML file with settings');
  for (const name of SETTING_NAMES) {
    const { doc, env, default: fallback } = SETTINGS[name] as Setting;
    const shown = fallback === '' ? '' : `, default ${fallback}`;
    // Some seventy: `drover config --explain` is the place to read them.
    command.addOption(new Option(`${flagOf(name)} <value>`, `${doc} (${env}${shown})`).hideHelp());
  }
  command.addHelpText('after', '\nEvery setting is also an option: `drover config --explain` lists them.');
  return command;
};

/** @throws DroverError CONFIG_INVALID */
export const configOf = (options: Options, io: Io): Config => {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = options[camel(fileKeyOf(name))];
    if (value !== undefined) flags[name] = value;
  }
  const file = options['config'];
  return loadConfig({ flags, env: io.env, ...(file === undefined ? {} : { file }) });
};

const listing = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push([...row]);
  return table.toString();
};

const explained = (): string =>
  listing(
    ['setting', 'option', 'default', 'description'],
    SETTING_NAMES.map((name) => {
      const { doc, env, default: fallback } = SETTINGS[name] as Setting;
      return [env, flagOf(name), fallback, doc];
    }),
  );

export const addSettings = (program: Command, io: Io): void => {
  const run =
    (duties?: Duties) =>
    async (options: Options): Promise<void> => {
      const config = configOf(options, io);
      // Loaded late: the other subcommands need neither engine nor store.
      const { up } = await import('../up.ts');
      await up(config, duties);
    };
  withSettings(
    program.command('up').description('run the controller: bots, schedules and queries in one process'),
  ).action(run());
  // Of all processes with one MONGO_URI one leads in each service, the others stand by.
  withSettings(program.command('bot-runner').description('run only the controller of realtime bots')).action(
    run({ services: ['bots'], api: true, queries: false }),
  );
  withSettings(program.command('bot-scheduler').description('run only the controller of scheduled bots')).action(
    run({ services: ['runs'], api: true, queries: false }),
  );
  withSettings(program.command('query-server').description('run only the query server'))
    .option('--port <port>', 'port of the query server (QUERY_SERVER_PORT)')
    .action((options: Options) =>
      run({ services: [], api: false, queries: true })({
        ...options,
        ...(options['port'] === undefined ? {} : { queryServerPort: options['port'] }),
      }),
    );
  withSettings(program.command('config').description('show every setting, its value and where it came from'))
    .addOption(jsonOption())
    .option('--explain', 'list every setting with its option and its default')
    .action(({ explain, ...options }: Options & { explain?: true }) => {
      if (explain === true) {
        io.out(explained());
        return;
      }
      const rows = describeConfig(configOf(options, io));
      if (options['output'] === 'json') {
        io.out(JSON.stringify(rows, null, 2));
        return;
      }
      const shown = rows.map(({ name, value, origin, doc }) => [name, value, origin, doc]);
      io.out(listing(['setting', 'value', 'from', 'description'], shown));
    });
};
