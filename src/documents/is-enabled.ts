/** The enabled rule of contract §3, readable also in a document that is broken elsewhere. A bot whose author said no never starts. */
import { isObject } from '../domain/json.ts';
import type { DocumentFault } from './faults.ts';

const NO = /^(false|f|no|n|off|0|disabled)$/i;
const YES = /^(true|t|yes|y|on|1|enabled)$/i;

type Said = 'nothing' | 'yes' | 'no' | 'unclear';

const said = (value: unknown): Said => {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'string' && typeof value !== 'number') return 'unclear';
  const word = String(value).trim();
  if (NO.test(word)) return 'no';
  return YES.test(word) ? 'yes' : 'unclear';
};

/** What the reference takes for a no besides `false`, and in `config` alone. */
const isNoOfContract = (value: unknown): boolean => value === 'false' || value === '0' || value === 0;

const MUST = 'must be true or false';

export interface ReadEnabled {
  /** Undefined: it cannot be told. Nothing starts because of such a document, and nothing stops. */
  readonly enabled: boolean | undefined;
  /** Not said as a boolean, but clear: a document of another program counts, a person is told. */
  readonly warnings: readonly DocumentFault[];
  /** Why it cannot be told. */
  readonly faults: readonly DocumentFault[];
}

const decide = (root: unknown, inner: unknown): boolean | undefined => {
  if (root === false || inner === false) return false;
  // The root word wins over these alone, as on the reference. What the reference would take for a yes is a no here.
  if (said(root) === 'no' || (said(inner) === 'no' && !(root === true && isNoOfContract(inner)))) return false;
  if (root === true) return true;
  return said(root) === 'unclear' || said(inner) === 'unclear' ? undefined : true;
};

/**
 * Documents with `enabled` or `config.enabled` exactly false are excluded; then a root bool wins; else `config.enabled` is on
 * unless it is "false", "0" or 0. Beyond the contract, a no in other words (`no`, `off`) counts as one in both places.
 */
export const readEnabled = (document: unknown): ReadEnabled => {
  if (!isObject(document)) return { enabled: undefined, warnings: [], faults: [] };
  const { config, enabled: root } = document;
  const inner = isObject(config) ? config['enabled'] : undefined;
  const isPlain = (value: unknown): boolean => value === undefined || value === null || typeof value === 'boolean';
  const places = [
    ...(isPlain(root) ? [] : [{ pointer: '/enabled', message: MUST }]),
    ...(isPlain(inner) || isNoOfContract(inner) ? [] : [{ pointer: '/config/enabled', message: MUST }]),
  ];
  const enabled = decide(root, inner);
  return enabled === undefined ? { enabled, warnings: [], faults: places } : { enabled, warnings: places, faults: [] };
};

/** Undefined when it cannot be told. */
export const isEnabled = (document: unknown): boolean | undefined => readEnabled(document).enabled;
