/** The lines of an output as they come in: bounded, with a progress bar's last form. */

import { t } from '../core/language.js';
import { printable } from '../words.js';
import { after, pieces } from './paint.js';

/** One line; `number` counts from where reading began and is never given twice. */
export interface Line {
  readonly number: number;
  /** As it was printed, colour codes and all. */
  readonly raw: string;
  /** The colour codes in force where it begins. */
  readonly before: string;
}

/** Lines and characters that are kept, and characters of one line. */
export const KEPT_LINES = 5_000;
export const KEPT = 4 * 1024 * 1024;
export const LONGEST = 16 * 1024;

export class OutputLines {
  /** All but the last line are over and do not change any more. */
  get all(): readonly Line[] {
    return this.kept;
  }

  /** True when lines at the beginning were given up for newer ones. */
  get isCut(): boolean {
    return this.hasDropped;
  }

  /** What was printed next. */
  add(told: string): void {
    const parts = told.split('\n');
    const rest = parts.pop();
    for (const part of parts) {
      this.extend(part);
      this.end();
    }
    if (rest) {
      this.extend(rest);
    }
    this.drop();
  }

  /** What stands before the first line; it ends with a line's end. */
  addBefore(told: string): void {
    const earlier = new OutputLines();
    earlier.add(told.replace(/\n$/, ''));
    const first = (this.kept[0]?.number ?? 0) - earlier.kept.length;
    this.kept.unshift(...earlier.kept.map((line, index) => ({ ...line, number: first + index })));
    this.size += earlier.size;
  }

  clear(): void {
    this.kept = [];
    this.size = 0;
    this.hasDropped = false;
    this.open = false;
    this.colours = '';
  }

  private extend(part: string): void {
    if (!this.open) {
      this.kept.push({ number: this.next++, raw: '', before: this.colours });
      this.open = true;
    }
    const last = this.kept[this.kept.length - 1] as Line;
    this.replace(rewritten(last, part));
  }

  private end(): void {
    const last = this.kept[this.kept.length - 1] as Line;
    this.replace({ ...last, raw: last.raw.replace(/\r+$/, '') });
    this.colours = after(last.raw, last.before);
    this.open = false;
  }

  private replace(line: Line): void {
    const place = this.kept.length - 1;
    this.size += line.raw.length - (this.kept[place]?.raw.length ?? 0);
    this.kept[place] = line;
  }

  private drop(): void {
    let count = Math.max(0, this.kept.length - KEPT_LINES);
    let size = this.size - sum(this.kept.slice(0, count));
    while (size > KEPT && count < this.kept.length - 1) {
      size -= this.kept[count++]?.raw.length ?? 0;
    }
    if (count) {
      this.kept.splice(0, count);
      this.size = size;
      this.hasDropped = true;
    }
  }

  private kept: Line[] = [];
  private size = 0;
  private next = 0;
  private open = false;
  private colours = '';
  private hasDropped = false;
}

/** `line` with `part` printed after it: from `\r` on it is written anew, and a `\r` at the end waits. */
function rewritten(line: Line, part: string): Line {
  const told = line.raw + part;
  const end = told.length - (/\r+$/.exec(told)?.[0].length ?? 0);
  const start = told.lastIndexOf('\r', end - 1) + 1;
  if (start > 0 && end > 0) {
    return { ...line, raw: short(told.slice(start)), before: after(told.slice(0, start), line.before) };
  }
  return { ...line, raw: short(told) };
}

/** A line without end keeps its beginning and tells that there is more. */
function short(raw: string): string {
  return raw.length <= LONGEST ? raw : `${raw.slice(0, LONGEST)} … (${t('longer than is shown')})`;
}

function sum(lines: readonly Line[]): number {
  return lines.reduce((size, { raw }) => size + raw.length, 0);
}

/** A line's text alone, as its pieces show it. */
export function plain({ raw }: Line): string {
  return raw.includes('\x1b') ? pieces(raw).map(({ text }) => text).join('') : printable(raw);
}
