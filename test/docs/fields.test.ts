/** The pages of the documents list the fields that drover reads below `drover`: the same names, types, limits and defaults. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SETTING_NAMES, SETTINGS } from '../../src/config-table.ts';
import { loadConfig } from '../../src/config.ts';
import { botSettings, scheduleSettings } from '../../src/documents/own-settings.ts';
import { DEFAULT_SCHEDULE_POLICY } from '../../src/domain/schedule-policy.ts';

type Row = Readonly<Record<string, string>>;
interface Field {
  readonly type: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

const REFERENCE = resolve(import.meta.dirname, '../../docs/reference');
const bare = (cell: string): string => cell.replaceAll('`', '');
const cellsOf = (line: string): readonly string[] => line.split('|').map((cell) => cell.trim());

/** All tables of a page, each row by the titles of its columns. */
const rowsOf = (page: string): readonly Row[] => {
  const rows: Row[] = [];
  let titles: readonly string[] | undefined;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) titles = undefined;
    else if (titles === undefined) titles = cellsOf(line);
    else if (!/^\|[ |:-]+$/.test(line)) {
      const cells = cellsOf(line);
      rows.push(Object.fromEntries(titles.map((title, at) => [title, cells[at] ?? ''])));
    }
  }
  return rows;
};

const WORDS: Readonly<Record<string, string>> = { integer: 'whole number', number: 'number', string: 'string' };

/** As the column "Limits" says it. */
const limitsOf = ({ enum: values, minimum, maximum, maxLength }: Field): string => {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (maxLength !== undefined) return `${String(maxLength)} characters`;
  return `${(minimum ?? 0).toLocaleString('en')} to ${(maximum ?? 0).toLocaleString('en')}`;
};

interface Fault {
  readonly field: string;
  readonly page: string | undefined;
  readonly code: string | undefined;
}

/** What a page says otherwise than the code: fields, their types, and their limits. */
const faultsOf = (page: string, schema: z.ZodType): readonly Fault[] => {
  const { properties = {} } = z.toJSONSchema(schema) as { readonly properties?: Readonly<Record<string, Field>> };
  const rows = rowsOf(page);
  const listed = rows.filter((row) => row['Type'] !== undefined && row['Field']?.startsWith('`drover.') === true);
  const nameOf = (row: Row): string => bare(row['Field'] ?? '').replace('drover.', '');
  const typeOf = (name: string): string | undefined => listed.find((row) => nameOf(row) === name)?.['Type'];
  const types = [...new Set([...Object.keys(properties), ...listed.map(nameOf)])].map((field) => ({
    field,
    page: typeOf(field),
    code: WORDS[properties[field]?.type ?? ''],
  }));
  const limits = rows.flatMap((row) => {
    const property = properties[nameOf(row)];
    const { Limits: said } = row;
    if (property === undefined || said === undefined || said === 'see below') return [];
    return [{ field: `${nameOf(row)} (limits)`, page: said, code: limitsOf(property) }];
  });
  const unlimited = Object.entries(properties)
    .filter(
      ([name, { maximum }]) => maximum !== undefined && !rows.some((row) => nameOf(row) === name && 'Limits' in row),
    )
    .map(([name, property]) => ({ field: `${name} (limits)`, page: undefined, code: limitsOf(property) }));
  // Each value of a field with a table of its own has a row there.
  const firsts = rows.map((row) => bare(Object.values(row)[1] ?? ''));
  const values = Object.entries(properties).flatMap(([name, { enum: allowed = [] }]) =>
    rows.some((row) => nameOf(row) === name && row['Limits']?.startsWith('`') === true)
      ? []
      : allowed.map((value) => ({
          field: `${name}: ${value}`,
          page: firsts.find((first) => first === value),
          code: value,
        })),
  );
  return [...types, ...limits, ...unlimited, ...values].filter((each) => each.page !== each.code);
};

const botPage = readFileSync(join(REFERENCE, 'bot-yaml.md'), 'utf8');
const schedulePage = readFileSync(join(REFERENCE, 'schedule-yaml.md'), 'utf8');

describe.each([
  ['bot-yaml.md', botPage, botSettings],
  ['schedule-yaml.md', schedulePage, scheduleSettings],
])('%s', (_name, page, schema) => {
  it('lists each field below drover with its type, its limits and its values, and no other', () => {
    expect(Object.keys(schema.shape).length).toBeGreaterThan(5);
    expect(faultsOf(page, schema)).toEqual([]);
  });
  it('can fail: it names a field that one side lacks, and another limit', () => {
    const extra = schema.extend({ restart: z.number().min(1).max(5_000).optional() });
    expect(faultsOf(page, extra)).toEqual([
      { field: 'restart', page: undefined, code: 'number' },
      { field: 'restart (limits)', page: undefined, code: '1 to 5,000' },
    ]);
    const row = `| Field | Type | Limits |\n| --- | --- | --- |\n| \`drover.restart\` | number | 1 to 2 |\n`;
    expect(faultsOf(`${page}\n${row}`, schema)).toEqual([{ field: 'restart', page: 'number', code: undefined }]);
    const [cell = '', limit] = /\| ([\d,]+ to [\d,]+) /.exec(page) ?? [];
    expect(faultsOf(page.replace(cell, '| 7 to 8 '), schema)).toMatchObject([{ page: '7 to 8', code: limit }]);
  });
});

describe('the defaults on bot-yaml.md', () => {
  const config = loadConfig({ env: {} });
  /** `10 (`BOT_STOP_HOOK`)`, and in a sentence `BOT_RESTART_POLICY` (`always`). */
  const named = [
    ...[...botPage.matchAll(/\| ([\d,]+) \(`([A-Z_]+)`\)/g)].map(([, value = '', env = '']) => ({ env, value })),
    ...[...botPage.matchAll(/`([A-Z_]+)`\s\(`([^`]+)`\)/g)].map(([, env = '', value = '']) => ({ env, value })),
  ];
  it.each(named)('of $env is $value', ({ env, value }) => {
    const name = SETTING_NAMES.find((each) => SETTINGS[each].env === env);
    const actual = name === undefined ? undefined : config[name];
    const isDuration = name !== undefined && /^\d+(ms|s|m|h)$/.test(SETTINGS[name].default);
    expect(value.replaceAll(',', '')).toBe(String(isDuration ? Number(actual) / 1_000 : actual));
  });
  const settings = rowsOf(botPage)
    .filter((row) => 'Setting' in row)
    .map((row) => ({ env: bare(row['Setting'] ?? ''), value: bare(row['Default'] ?? '') }));
  it.each(settings)('of $env, in the table of settings, is $value', ({ env, value }) => {
    const name = SETTING_NAMES.find((each) => SETTINGS[each].env === env);
    expect(value).toBe(name === undefined ? undefined : SETTINGS[name].default);
  });
  it('are there', () => {
    expect(settings.length).toBeGreaterThan(4);
    expect(named.length).toBeGreaterThan(6);
  });
});

describe('the defaults on schedule-yaml.md', () => {
  const policy = DEFAULT_SCHEDULE_POLICY as unknown as Readonly<Record<string, unknown>>;
  /** In the unit of the field. */
  const defaultOf = (field: string): unknown => {
    const { [field]: plain } = policy;
    if (plain !== undefined) return plain;
    const ms = policy[field.replace(/Seconds$|Days$/, 'Ms')];
    return ms === undefined ? 'none' : Number(ms) / (field.endsWith('Days') ? 86_400_000 : 1_000);
  };
  const rows = rowsOf(schedulePage)
    .filter((row) => row['Field']?.startsWith('`drover.') === true)
    .map((row) => ({ field: bare(row['Field'] ?? '').slice('drover.'.length), value: bare(row['Default'] ?? '') }))
    // These two belong to the cron text, not to the policy.
    .filter(({ field }) => !['timeZone', 'dstGap'].includes(field));
  it.each(rows)('of $field is $value', ({ field, value }) => {
    expect(value.replaceAll(',', '').replace(/ \(.*\)$/, '')).toBe(String(defaultOf(field)));
  });
});
