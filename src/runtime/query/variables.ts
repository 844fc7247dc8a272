/** The variables by which a query program is told its query (contract §1.3, §8.2). Pure. */
import { DroverError } from '../../domain/errors.ts';
import { fitsVariable } from '../../domain/config-size.ts';
import { jsonText } from '../../domain/json-text.ts';
import { parseJson } from '../../domain/parse-json.ts';
import { WrittenNumber } from '../../domain/written-number.ts';

/** A system has no variables of such names, or cannot tell where the name ends. */
const isNameable = (name: string): boolean => name !== '' && !/[=\0]/.test(name);

/** One a top-level parameter, as the reference sets them. What no variable can hold is left to QUERY_PARAMS. */
const parameters = (params: string): [string, string][] => {
  const parsed = parseJson(params, { maxDepth: 200 });
  if (typeof parsed !== 'object' || parsed === null || parsed instanceof WrittenNumber) return [];
  return Object.entries(parsed)
    .map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : jsonText(value)])
    .filter(([name, value]) => isNameable(name) && !value.includes('\0'))
    .map(([name, value]): [string, string] => [`QUERY_PARAM_${name}`, value])
    .filter(([name, value]) => fitsVariable(name, value));
};

/** `params`: JSON text. @throws DroverError REQUEST_INVALID for a path that no variable can hold */
export const queryVariables = (path: string, params: string): Record<string, string> => {
  if (path.includes('\0')) throw new DroverError('REQUEST_INVALID', 'the path of a query must not contain NUL');
  return { QUERY_PATH: path, QUERY_PARAMS: params, ...Object.fromEntries(parameters(params)) };
};
