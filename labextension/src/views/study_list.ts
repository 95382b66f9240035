/** The list of studies: each with its name, a bar of how far it is, and how many cases stand where. */

import type { StudyRow } from '../core/api.js';
import { t, tn } from '../core/language.js';
import { ended, shares } from '../core/studies.js';
import { element, write } from '../dom.js';
import { printable, stateWords } from '../words.js';

export class StudyList {
  readonly node = element('ul', 'tj-StudyList', { 'aria-label': 'Studies' });

  constructor(private readonly open: (name: string) => void) {}

  /** Show these; a row that stays keeps its node, and with it the keyboard. */
  update(studies: readonly StudyRow[], current: string): void {
    const names = new Set(studies.map(({ name }) => name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.node.remove();
        this.rows.delete(name);
      }
    }
    studies.forEach((study, place) => {
      const row = this.rows.get(study.name) ?? this.make(study.name);
      row.draw(study, study.name === current);
      if (this.node.children[place] !== row.node) {
        this.node.insertBefore(row.node, this.node.children[place] ?? null);
      }
    });
  }

  private make(name: string): StudyLine {
    const row = new StudyLine(() => this.open(name));
    this.rows.set(name, row);
    return row;
  }

  private readonly rows = new Map<string, StudyLine>();
}

class StudyLine {
  readonly node = element('li', 'tj-Study');

  constructor(open: () => void) {
    this.name.addEventListener('click', open);
    this.node.append(this.name, this.bar, this.words);
  }

  draw(study: StudyRow, isCurrent: boolean): void {
    write(this.name, printable(study.name));
    this.name.setAttribute('aria-expanded', String(isCurrent));
    this.node.classList.toggle('tj-mod-current', isCurrent);
    drawBar(this.bar, study);
    write(this.words, countWords(study));
  }

  private readonly name = element('button', 'tj-StudyName', { type: 'button', title: 'Show the cases of this study' });
  private readonly bar = progressBar();
  private readonly words = element('span', 'tj-StudyWords');
}

export function progressBar(): HTMLElement {
  return element('div', 'tj-Progress', { role: 'progressbar', 'aria-valuemin': '0' });
}

/** Draw a bar of coloured parts, one for each group of states. */
export function drawBar(node: HTMLElement, { name, counts, cases }: StudyRow): void {
  const over = ended(counts);
  node.setAttribute('aria-label', t('Progress of study {name}', { name: printable(name) }));
  node.setAttribute('aria-valuemax', String(Math.max(cases, 1)));
  node.setAttribute('aria-valuenow', String(over));
  node.setAttribute('aria-valuetext', t('{ended} of {count} cases have ended', { ended: over.toLocaleString(), count: cases.toLocaleString() }));
  const found = shares(counts);
  while (node.childElementCount > found.length) {
    node.lastElementChild?.remove();
  }
  found.forEach(({ group, count }, place) => {
    const part = (node.children[place] as HTMLElement | undefined) ?? node.appendChild(element('span', 'tj-Part tj-Tone'));
    part.dataset['tone'] = stateWords(group.status).tone;
    part.style.width = `${(100 * count) / Math.max(cases, 1)}%`;
  });
}

/** `1,514 of 2,000 ended   ✓ 1,497 finished   ✗ 17 failed`. */
export function countWords({ counts, cases }: StudyRow): string {
  const parts = shares(counts).map(({ group, count }) => `${stateWords(group.status).glyph} ${count.toLocaleString()} ${t(group.name)}`);
  return [t('{ended} of {count} ended', { ended: ended(counts).toLocaleString(), count: cases.toLocaleString() }), ...parts].join('   ');
}

/** `1 case`, `2,000 cases`. */
export function caseWords(number: number): string {
  return tn('{count} case', '{count} cases', number);
}
