/** A bot as the API shows it: wish and state side by side, configuration masked unless it is asked for. */
import { decodeBotDocument, type DocumentFault, type SpecDefaults } from '../documents/bot-document.ts';
import { isObject } from '../domain/json.ts';
import { blankBot, type Condition, type RunningBot } from '../domain/running-bot.ts';
import type { FleetView } from '../ports/fleet-view.ts';
import type { SpecRecord } from '../ports/spec-store.ts';

/** Words of the envelope are no secrets; whatever else a config holds may be one. */
const ENVELOPE: ReadonlySet<string> = new Set([
  'name',
  'type',
  'version',
  'schedule',
  'enabled',
  'customBotId',
  'drover',
]);

const MASK = '***';

/** Does a document carry our mask where its secrets were? Storing it would replace them. */
export const isMasked = (document: unknown): boolean =>
  isObject(document) && isObject(document['config']) && Object.values(document['config']).includes(MASK);

export const mask = (config: unknown): unknown =>
  isObject(config)
    ? Object.fromEntries(Object.entries(config).map(([key, value]) => [key, ENVELOPE.has(key) ? value : MASK]))
    : MASK;

export const maskDocument = (document: unknown): unknown =>
  isObject(document)
    ? { ...document, ...('config' in document ? { config: mask(document['config']) } : {}) }
    : document;

/** What is said of a document that its service has not looked at yet. */
export const notSeenYet = (service: string, invalid: string | undefined): Condition => ({
  type: 'SpecValid',
  status: invalid === undefined ? 'Unknown' : 'False',
  reason: invalid === undefined ? 'NotSeenYet' : 'DocumentInvalid',
  message: invalid ?? `${service} has not read the document yet`,
  lastTransitionTime: 0,
});

/** The conditions of a bot or schedule, and what its document probably does not mean as it is read. */
export const withSpecClear = (
  conditions: readonly Condition[],
  warnings: readonly DocumentFault[],
): readonly Condition[] => {
  if (warnings.length === 0) return conditions;
  const message = warnings
    .map((fault) => `${fault.pointer} ${fault.message}`)
    .join('; ')
    .slice(0, 500);
  const { lastTransitionTime = 0 } = conditions.find(({ type }) => type === 'SpecValid') ?? {};
  return [
    ...conditions,
    { type: 'SpecClear', status: 'False', reason: 'DocumentUnclear', message, lastTransitionTime },
  ];
};

/** One that BotService has not looked at yet. */
const unseen = (id: string, invalid: string | undefined): RunningBot =>
  blankBot(id, 'stopped', [notSeenYet('BotService', invalid)]);

const describe = (record: SpecRecord | undefined, bot: RunningBot | undefined, defaults: SpecDefaults) => {
  const id = record?.id ?? bot?.botId ?? '';
  const decoded =
    record === undefined || record.document === null ? undefined : decodeBotDocument(id, record.document, defaults);
  const invalid = decoded?.kind === 'invalid' ? decoded.reason : undefined;
  const spec = decoded?.kind === 'spec' ? decoded.spec : undefined;
  const shown = bot ?? unseen(id, invalid);
  return {
    ...shown,
    conditions: withSpecClear(shown.conditions, decoded?.kind === 'spec' ? decoded.warnings : []),
    enabled: decoded?.enabled ?? null,
    specVersion: spec?.code.version ?? null,
    runtime: spec?.runtime ?? null,
    spec,
  };
};

/** The fleet: every bot with a document, and every one that still exists without. */
export const showListed = (records: readonly SpecRecord[], fleet: FleetView, defaults: SpecDefaults) => {
  const bots = new Map(fleet.list().map((bot) => [bot.botId, bot]));
  const documents = new Map(records.filter(({ document }) => document !== null).map((record) => [record.id, record]));
  return [...new Set([...bots.keys(), ...documents.keys()])].sort().map((id) => {
    const { spec: _spec, ...shown } = describe(documents.get(id), bots.get(id) ?? undefined, defaults);
    return { ...shown, botId: id };
  });
};

/** One bot with its document and effective spec; undefined when nothing is known of it. */
export const showBot = (
  id: string,
  record: SpecRecord | undefined,
  bot: RunningBot | undefined,
  defaults: SpecDefaults,
  secrets: boolean,
) => {
  if (record === undefined && bot === undefined) return undefined;
  const { spec, ...shown } = describe(record, bot, defaults);
  const document = record?.document ?? null;
  return {
    ...shown,
    botId: id,
    document: secrets ? document : maskDocument(document),
    effective: spec === undefined ? null : secrets ? spec : { ...spec, config: mask(spec.config) },
  };
};
