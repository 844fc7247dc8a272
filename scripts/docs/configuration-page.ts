import { SETTING_NAMES, SETTINGS, flagOf, fileKeyOf, type Setting, type SettingName } from '../../src/config-table.ts';
import { code, next, page } from './markdown.ts';

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!]$/.test(text) ? '' : '.'}`;

const section = (name: SettingName): string => {
  const { env, default: fallback, doc, secret, also = [] } = SETTINGS[name] as Setting;
  const facts = [
    `- Default: ${fallback === '' ? 'not set' : code(fallback)}`,
    `- Option: ${code(flagOf(name))}, key in the file: ${code(fileKeyOf(name))}`,
    ...(also.length === 0
      ? []
      : [`- Other names that are read when this one is not set: ${also.map(code).join(', ')}`]),
    ...(secret === true ? ['- Secret: it is never printed.'] : []),
  ];
  return [`## ${env}`, sentence(doc), facts.join('\n')].join('\n\n');
};

export const configurationPage = (): string =>
  page(
    '# Configuration',
    'This page is for operators who set up drover. It lists every setting with its default and its meaning.',
    'A setting is taken from the first place that has it: an option of the command, an environment variable, a YAML file ' +
      'that `--config` names (else `drover.yaml` in the current folder, if there is one), and the default. `drover config` prints each setting with its value and where the value came from. ' +
      'Durations are written as `500ms`, `30s`, `2m` or `1m30s`; a bare number means seconds.',
    ...SETTING_NAMES.map(section),
    next(
      '[Command line](cli.md)',
      '[Secure it](../how-to/secure.md)',
      '[Use MongoDB, NATS and S3](../tutorials/servers.md)',
    ),
  );
