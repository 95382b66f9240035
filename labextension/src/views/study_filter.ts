/** The studies beside the grid of jobs: each with how far it is; of the chosen one alone the jobs are shown. */

import type { StudyRow } from '../core/api.js';
import { t } from '../core/language.js';
import { later, type Later } from '../core/painter.js';
import { Soon } from '../core/soon.js';
import { keep, kept, pageStorage } from '../core/storage.js';
import { ended } from '../core/studies.js';
import { button, element, show, write } from '../dom.js';
import type { JobRow } from '../job.js';
import { printable, stateWords } from '../words.js';
import { countWords, drawBar, progressBar } from './study_list.js';

/** Milliseconds between two looks. */
const LOOKED = 2000;
/** Pixels: where there are fewer, the list is folded unless a person opens it there. */
const ROOMY = 900;
/** What the browser keeps of the list, where there is room and where there is little. */
const KEPT = { roomy: 'tapisjobs.studies', narrow: 'tapisjobs.studies.narrow' } as const;
type Room = keyof typeof KEPT;

let count = 0;

export class StudyFilter {
  readonly node = element('div', 'tj-StudyFilter', { role: 'group', 'aria-label': 'Filter by study' });

  /** `choose` is told the `cohortId` of the study whose jobs are to be seen, '' for all jobs. */
  constructor(
    private readonly list: () => Promise<StudyRow[]>,
    private readonly choose: (study: string) => void,
    wait: Later = later,
    private readonly storage = pageStorage()
  ) {
    this.looks = new Soon(() => this.look(), LOOKED, wait);
    this.isOpen = { roomy: kept(storage, KEPT.roomy) !== 'folded', narrow: kept(storage, KEPT.narrow) === 'open' };
    this.node.id = `tj-studies-${(count += 1)}`;
    this.opener.setAttribute('aria-controls', this.node.id);
    this.chip.addEventListener('click', () => this.unpick());
    this.lines.append(element('li', '', {}, this.all));
    this.node.append(this.lines);
    this.draw();
  }

  /** For the bar over the grid: what opens and folds the list, and what tells of the filter where it is folded. */
  get controls(): HTMLElement[] {
    return [this.opener, this.chip];
  }

  /** Fold the list where `place` is narrow, as it grows and shrinks. */
  fitInto(place: HTMLElement): void {
    if (typeof ResizeObserver !== 'undefined') {
      this.size = new ResizeObserver(([entry]) => this.fit(entry?.contentRect.width ?? 0));
      this.size.observe(place);
    }
  }

  /** The place has so many pixels; 0 while it is not seen. */
  fit(width: number): void {
    const room = width < ROOMY ? 'narrow' : 'roomy';
    if (width > 0 && room !== this.room) {
      this.room = room;
      this.draw();
    }
  }

  /** News may have been missed: look again. */
  renew(): void {
    this.looks.ask();
  }

  /** A job has another state; one that came alone is in no study. */
  hear({ cohortId }: JobRow): void {
    if (cohortId) {
      this.looks.ask();
    }
  }

  rest(): void {
    this.looks.stop();
  }

  dispose(): void {
    this.isGone = true;
    this.rest();
    this.size?.disconnect();
  }

  // -- what happens

  private async look(): Promise<void> {
    try {
      const studies = await this.list();
      if (!this.isGone) {
        this.put(studies);
      }
    } catch {
      // What was known stays; that the server does not answer is told by the grid.
    }
  }

  private put(studies: readonly StudyRow[]): void {
    this.studies = studies;
    if (this.chosen && !this.current) {
      // It is there no more, and filters no more.
      this.pick('');
    }
    this.draw();
  }

  private pick(study: string): void {
    if (study !== this.chosen) {
      this.chosen = study;
      this.draw();
      this.choose(study);
    }
  }

  /** The chip goes away: the keyboard stays beside it. */
  private unpick(): void {
    this.opener.focus();
    this.pick('');
  }

  private toggle(): void {
    const isOpen = !this.isOpen[this.room];
    this.isOpen[this.room] = isOpen;
    keep(this.storage, KEPT[this.room], isOpen ? 'open' : 'folded');
    this.draw();
  }

  private get current(): StudyRow | undefined {
    return this.studies.find(({ cohortId }) => cohortId === this.chosen);
  }

  // -- what is seen

  private draw(): void {
    const { current, studies } = this;
    const isOpen = this.isOpen[this.room];
    show(this.opener, studies.length > 0);
    show(this.node, studies.length > 0 && isOpen);
    show(this.chip, current !== undefined && !isOpen);
    this.opener.setAttribute('aria-expanded', String(isOpen));
    this.all.setAttribute('aria-pressed', String(current === undefined));
    write(this.chipWords, current ? t('Study {name}', { name: printable(current.name) }) : '');
    this.drawLines();
  }

  /** A study that stays keeps its node, and with it the keyboard. */
  private drawLines(): void {
    const known = this.rows;
    this.rows = new Map(this.studies.map(({ cohortId }) => [cohortId, known.get(cohortId) ?? this.line(cohortId)]));
    known.forEach(({ node }, cohortId) => this.rows.has(cohortId) || node.remove());
    let before: Element = this.lines.firstElementChild as Element;
    for (const study of this.studies) {
      const { node } = this.rows.get(study.cohortId)?.draw(study, study.cohortId === this.chosen) as StudyLine;
      if (before.nextElementSibling !== node) {
        before.after(node);
      }
      before = node;
    }
  }

  private line(cohortId: string): StudyLine {
    return new StudyLine(() => this.pick(cohortId === this.chosen ? '' : cohortId));
  }

  private readonly opener = button('Studies', 'Show or fold the studies beside the jobs', () => this.toggle());
  private readonly chipWords = element('span', 'tj-Words');
  private readonly chip = element(
    'button', 'tj-Chip tj-StudyChip', { type: 'button', title: 'Show all jobs again' },
    this.chipWords, element('span', '', { 'aria-hidden': 'true' }, '✕')
  );
  private readonly all = button('All jobs', 'Show the jobs of all studies and of none', () => this.pick(''));
  private readonly lines = element('ul', 'tj-StudyList');
  private readonly looks: Soon;
  private readonly isOpen: Record<Room, boolean>;
  private rows: ReadonlyMap<string, StudyLine> = new Map();
  private studies: readonly StudyRow[] = [];
  private chosen = '';
  private room: Room = 'roomy';
  private size: ResizeObserver | null = null;
  private isGone = false;
}

class StudyLine {
  readonly node = element('li', '');

  constructor(pick: () => void) {
    this.choice = button('', '', pick);
    this.choice.append(this.name, ' ', this.words);
    this.node.append(this.choice, this.bar);
  }

  draw(study: StudyRow, isChosen: boolean): this {
    write(this.name, printable(study.name));
    write(this.words, farWords(study));
    this.choice.title = `${printable(study.name)}: ${countWords(study)}`;
    this.choice.setAttribute('aria-pressed', String(isChosen));
    drawBar(this.bar, study);
    return this;
  }

  private readonly choice: HTMLButtonElement;
  private readonly name = element('span', 'tj-Name');
  private readonly words = element('span', 'tj-StudyWords');
  private readonly bar = progressBar();
}

/** `1,514 of 2,000 ended   ✗ 17 failed`. */
function farWords({ counts, cases }: StudyRow): string {
  const over = t('{ended} of {count} ended', { ended: ended(counts).toLocaleString(), count: cases.toLocaleString() });
  const failed = counts['FAILED'] ?? 0;
  return failed ? `${over}   ${stateWords('FAILED').glyph} ${failed.toLocaleString()} ${t('failed')}` : over;
}
