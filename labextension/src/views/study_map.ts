/** The cases of a study as small squares: glyph and colour tell the state, and words tell it to a screen reader. */

import { t } from '../core/language.js';
import { caseName, squares, type CaseState, type Square } from '../core/studies.js';
import { element, write } from '../dom.js';
import { printable, stateWords } from '../words.js';

/** Squares that are drawn; with more cases one square stands for several. */
const MOST = 2500;

let count = 0;

/** One list box: the arrows move in it, Enter opens the job of a case. */
export class StudyMap {
  readonly node = element('div', 'tj-Map', { role: 'listbox', tabindex: '0' });

  constructor(private readonly open: (uuid: string) => void) {
    this.node.addEventListener('click', ({ target }) => this.click(target));
    this.node.addEventListener('keydown', event => this.press(event));
  }

  /** Show these cases; squares stay where they are, and only changed ones are drawn again. */
  update(name: string, cases: readonly CaseState[]): void {
    this.node.setAttribute('aria-label', t('Cases of study {name}', { name: printable(name) }));
    const found = squares(cases, MOST);
    while (this.node.childElementCount > found.length) {
      this.node.lastElementChild?.remove();
    }
    const added = found.slice(this.node.childElementCount).map(() => this.make());
    this.node.append(...added);
    found.forEach((square, place) => draw(this.node.children[place] as HTMLElement, square, this.squares[place]));
    this.squares = found;
    this.move(Math.min(this.at, found.length - 1));
  }

  private make(): HTMLElement {
    return element('span', 'tj-Square tj-Tone', { role: 'option', id: `tj-square-${(count += 1)}`, 'aria-selected': 'false' });
  }

  private move(to: number): void {
    this.node.children[this.at]?.setAttribute('aria-selected', 'false');
    this.at = Math.max(0, to);
    const chosen = this.node.children[this.at];
    chosen?.setAttribute('aria-selected', 'true');
    if (chosen) {
      this.node.setAttribute('aria-activedescendant', chosen.id);
    } else {
      this.node.removeAttribute('aria-activedescendant');
    }
  }

  private click(target: EventTarget | null): void {
    const place = [...this.node.children].indexOf(target as Element);
    if (place >= 0) {
      this.move(place);
      this.openHere();
    }
  }

  private press(event: KeyboardEvent): void {
    const last = this.node.childElementCount - 1;
    const row = this.inOneRow();
    const to = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, ArrowDown: this.at + row, ArrowUp: this.at - row, Home: 0, End: last }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (to === undefined && event.key !== 'Enter')) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined) {
      this.openHere();
    } else if (to >= 0 && to <= last) {
      this.move(to);
      this.node.children[to]?.scrollIntoView?.({ block: 'nearest' });
    }
  }

  private openHere(): void {
    const square = this.squares[this.at];
    const found = square?.cases.find(({ status }) => status === square.status);
    if (found?.jobUuid) {
      this.open(found.jobUuid);
    }
  }

  /** Squares beside each other, as the page lays them out. */
  private inOneRow(): number {
    const all = [...this.node.children] as HTMLElement[];
    const next = all.findIndex(each => each.offsetTop > (all[0]?.offsetTop ?? 0));
    return next > 0 ? next : 1;
  }

  private squares: Square[] = [];
  private at = 0;
}

function draw(node: HTMLElement, square: Square, before: Square | undefined): void {
  const words = squareWords(square);
  if (before && node.title === words) {
    return;
  }
  const { glyph, tone } = stateWords(square.status);
  write(node, glyph);
  node.dataset['tone'] = tone;
  node.title = words;
  node.setAttribute('aria-label', words);
}

/** `k 13: FAILED, exit code 1`, or of several: `k 1 to k 40: 3 FAILED, 37 FINISHED`. */
export function squareWords({ cases }: Square): string {
  const [first, last] = [cases[0], cases.at(-1)];
  if (!first || !last) {
    return '';
  }
  if (cases.length === 1) {
    const code = first.exitCode === null || first.status !== 'FAILED' ? '' : `, ${t('exit code {code}', { code: first.exitCode })}`;
    return printable(`${caseName(first)}: ${first.status || t('not known any more')}${code}`);
  }
  const counts = new Map<string, number>();
  cases.forEach(({ status }) => counts.set(status, (counts.get(status) ?? 0) + 1));
  const told = [...counts].map(([status, number]) => `${number} ${status}`).join(', ');
  return printable(t('{first} to {last}: {counts}', { first: caseName(first), last: caseName(last), counts: told }));
}
