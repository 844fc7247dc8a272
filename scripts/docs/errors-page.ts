import type { ErrorClass, ErrorRow } from '../../src/domain/error-row.ts';
import { ERRORS } from '../../src/domain/error-table.ts';
import { next, page } from './markdown.ts';

const WHAT_FOLLOWS: Readonly<Record<ErrorClass, string>> = {
  retryable: 'drover tries again by itself, later and later.',
  terminal: 'drover stops trying until something changes: a new spec, or `drover reset`.',
  concurrency: 'Somebody else wrote first; drover reads again and retries at once.',
  rejected: 'The command or the document is refused, and nothing changes.',
};

export const errorsPage = (): string => {
  const rows = Object.entries<ErrorRow>(ERRORS);
  return page(
    '# Errors',
    'This page is for operators who have an error code in front of them. It lists every code with its cause and its remedy. ' +
      'The command line prints `drover: <message> [<CODE>]` and the remedy; the API answers `{"error": {"code", "message", "remedy"}}`; ' +
      'conditions use the code in CamelCase as their `reason` (`STORAGE_UNAVAILABLE` becomes `StorageUnavailable`).',
    'Each code has a class, which says what drover does next:',
    Object.entries(WHAT_FOLLOWS)
      .map(([name, text]) => `- **${name}**: ${text}`)
      .join('\n'),
    ...rows.map(([name, { class: errorClass, cause, remedy }]) =>
      [`## ${name}`, `Class: ${errorClass}.`, `**Cause.** ${cause}`, `**Remedy.** ${remedy}`].join('\n\n'),
    ),
    next(
      '[Troubleshoot](../how-to/troubleshoot.md): from a symptom to its cause',
      '[States and conditions](states-and-conditions.md)',
      '[HTTP API](http-api.md): which status code an error has',
    ),
  );
};
