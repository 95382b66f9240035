/** Finds words in the lines of an output; without capitals in what is sought, capitals do not matter. */

import { t } from '../core/language.js';
import { plain, type Line } from './lines.js';

/** From `start` up to `end` in the text of the line with this number. */
export interface Hit {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** Hits that are looked for; a letter that stands everywhere must not stop the page. */
export const MOST_HITS = 2_000;

export class Finder {
  sought = '';
  hits: readonly Hit[] = [];
  /** Which hit is shown; -1 when none. */
  current = -1;

  /** Look again, after the lines or what is sought have changed; the current hit stays the same one. */
  look(lines: readonly Line[]): void {
    const shown = this.hits[this.current];
    this.hits = this.sought ? this.found(lines) : [];
    const place = shown ? this.hits.findIndex(hit => hit.number === shown.number && hit.start === shown.start) : -1;
    this.current = place >= 0 ? place : Math.min(this.current, this.hits.length - 1);
  }

  /** Seek something else; the newest hit is shown first, as an output is read from its end. */
  seek(sought: string, lines: readonly Line[]): void {
    this.sought = sought;
    this.hits = [];
    this.look(lines);
    this.current = this.hits.length - 1;
  }

  /** The hit `steps` further, around the end. */
  step(steps: number): Hit | undefined {
    const count = this.hits.length;
    this.current = count ? (this.current + steps + count) % count : -1;
    return this.hits[this.current];
  }

  /** `3 of 17`, or that there is none. */
  get told(): string {
    if (!this.sought) {
      return '';
    }
    const count = this.hits.length;
    if (!count) {
      return t('not in these lines');
    }
    const place = { place: this.current + 1, count };
    return count === MOST_HITS ? t('{place} of {count} or more', place) : t('{place} of {count}', place);
  }

  private found(lines: readonly Line[]): Hit[] {
    const isExact = this.sought !== this.sought.toLowerCase();
    const hits: Hit[] = [];
    // From the end, so that where there are too many the newest are found.
    for (let place = lines.length - 1; place >= 0 && hits.length < MOST_HITS; place -= 1) {
      const line = lines[place] as Line;
      hits.push(...this.foundIn(line, isExact).reverse());
    }
    return hits.slice(0, MOST_HITS).reverse();
  }

  private foundIn(line: Line, isExact: boolean): Hit[] {
    const told = isExact ? this.text(line) : folded(this.text(line));
    const hits: Hit[] = [];
    for (let start = told.indexOf(this.sought); start >= 0; start = told.indexOf(this.sought, start + this.sought.length)) {
      hits.push({ number: line.number, start, end: start + this.sought.length });
    }
    return hits;
  }

  private text(line: Line): string {
    const known = this.texts.get(line);
    if (known !== undefined) {
      return known;
    }
    const told = plain(line);
    this.texts.set(line, told);
    return told;
  }

  private readonly texts = new WeakMap<Line, string>();
}

/** Small letters, each in its place: one that grows when made small stays as it is. */
function folded(told: string): string {
  const small = told.toLowerCase();
  return small.length === told.length ? small : [...told].map(sign => (sign.toLowerCase().length === sign.length ? sign.toLowerCase() : sign)).join('');
}
