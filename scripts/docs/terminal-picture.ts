/** What a terminal showed, colours and all, as an SVG that a README can have. */
import anser from 'anser';

export interface Picture {
  readonly title: string;
  /** As the terminal received it, with its escape sequences. */
  readonly text: string;
  /** Longer lines are cut, as a pager cuts them. */
  readonly columns: number;
}

const FONT_PX = 13;
const LINE_PX = 19;
/** Of the usual monospaced fonts. */
const CHARACTER_PX = 7.83;
const PADDING_PX = 16;
const BAR_PX = 34;

const PALETTE: Readonly<Record<string, string>> = {
  'ansi-black': '#6e7681',
  'ansi-red': '#ff7b72',
  'ansi-green': '#7ee787',
  'ansi-yellow': '#e3b341',
  'ansi-blue': '#79c0ff',
  'ansi-magenta': '#d2a8ff',
  'ansi-cyan': '#56d4dd',
  'ansi-white': '#e6edf3',
};
const PLAIN = '#c9d1d9';
const DIM = '#7d8590';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** One piece of a line in one colour; each has its own place, so that no font can shift the rest of the line. */
const piece = (text: string, column: number, { fg, decorations }: anser.AnserJsonEntry): string => {
  const colour = decorations.includes('dim')
    ? DIM
    : (PALETTE[(fg as string | null)?.replace('bright-', '') ?? ''] ?? PLAIN);
  const weight = decorations.includes('bold') ? ' font-weight="bold"' : '';
  const x = (PADDING_PX + column * CHARACTER_PX).toFixed(1);
  const width = (text.length * CHARACTER_PX).toFixed(1);
  return `<tspan x="${x}" textLength="${width}" fill="${colour}"${weight}>${escaped(text)}</tspan>`;
};

const lineOf = (line: string, columns: number): string => {
  let column = 0;
  let svg = '';
  for (const entry of anser.ansiToJson(line, { json: true, remove_empty: true, use_classes: true })) {
    const room = columns - column;
    if (room <= 0) break;
    const text = entry.content.length <= room ? entry.content : `${entry.content.slice(0, room - 1)}…`;
    if (text.trim() !== '') svg += piece(text, column, entry);
    column += text.length;
  }
  return svg;
};

export const terminalPicture = ({ title, text, columns }: Picture): string => {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => lineOf(line, columns));
  const width = Math.ceil(2 * PADDING_PX + columns * CHARACTER_PX);
  const height = BAR_PX + lines.length * LINE_PX + PADDING_PX;
  const rows = lines.map(
    (svg, index) => `<text y="${String(BAR_PX + (index + 0.8) * LINE_PX)}" xml:space="preserve">${svg}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" role="img" aria-label="${escaped(title)}">`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<rect width="100%" height="${String(BAR_PX - 8)}" rx="8" fill="#161b22"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (colour, index) => `<circle cx="${String(18 + 20 * index)}" cy="13" r="6" fill="${colour}"/>`,
    ),
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="${String(FONT_PX)}">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
};
