/** The colours of printed text: from a terminal's codes to pieces of plain text with a look. */

import Anser from 'anser';

import { printable } from '../words.js';

/** A piece of a line. `front` and `back` are a colour's name (`red`, `bright-red`) or `rgb(…)`. */
export interface Piece {
  readonly text: string;
  readonly front: string;
  readonly back: string;
  readonly marks: readonly string[];
}

/* Titles and links for a terminal, then each code that is no colour, then a code cut off at the line's end. */
// eslint-disable-next-line no-control-regex
const NO_COLOUR = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[(?![\d;]*m)[0-?]*[ -/]*[@-~]|\x1b\[[0-?]*[ -/]*$/g;
// eslint-disable-next-line no-control-regex
const COLOUR = /\x1b\[[\d;]*m/g;
/** Codes in force that are remembered from line to line; more are nonsense. */
const REMEMBERED = 16;
/** Brightness of the six steps of the 256 colours of xterm. */
const STEPS = [0, 95, 135, 175, 215, 255];
const MARKS = new Set(['bold', 'dim', 'italic', 'underline', 'strikethrough']);

/** The pieces of one line. `before` are the colour codes in force where it begins. */
export function pieces(line: string, before = ''): Piece[] {
  const told = before + line.replace(NO_COLOUR, '');
  return Anser.ansiToJson(told, { json: true, use_classes: true, remove_empty: true })
    .map(({ content, fg, bg, fg_truecolor, bg_truecolor, decorations }) => ({
      text: printable(content),
      front: colour(fg, fg_truecolor),
      back: colour(bg, bg_truecolor),
      marks: [...new Set(decorations)].filter(mark => MARKS.has(mark))
    }))
    .filter(({ text }) => text);
}

/** The colour codes in force after `line`. */
export function after(line: string, before: string): string {
  if (!line.includes('\x1b')) {
    return before;
  }
  const codes = [...(before.match(COLOUR) ?? []), ...(line.match(COLOUR) ?? [])];
  const reset = codes.map(code => !/[1-9]/.test(code)).lastIndexOf(true);
  return codes.slice(reset + 1).slice(-REMEMBERED).join('');
}

function colour(name: string | null, exact: string | null): string {
  if (!name) {
    return '';
  }
  if (name === 'ansi-truecolor') {
    return `rgb(${exact})`;
  }
  const number = Number(/^ansi-palette-(\d+)$/.exec(name)?.[1] ?? -1);
  return number < 0 ? name.replace(/^ansi-/, '') : `rgb(${palette(number).join(', ')})`;
}

/** The colours 16 to 255 of xterm: a cube of 6 x 6 x 6, then 24 greys. */
function palette(number: number): number[] {
  if (number >= 232) {
    return Array(3).fill(8 + 10 * (number - 232));
  }
  const place = number - 16;
  return [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map(step => STEPS[step] ?? 0);
}
