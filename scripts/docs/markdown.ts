/** Pieces of Markdown. Prettier aligns them afterwards. */

/** A pipe would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

export const code = (text: string): string => `\`${text}\``;

export const page = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`;

export const next = (...links: readonly string[]): string =>
  ['## Where to go next', links.map((link) => `- ${link}`).join('\n')].join('\n\n');
