/** The output of a job as it is printed: colours, progress bars, search, pause and the way back to the end. */

import { told } from '../core/client.js';
import { t, tn } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { isTerminal, type JobRow } from '../job.js';
import { printable, size } from '../words.js';
import { Finder } from './find.js';
import { later, type Later, type Site } from './site.js';
import { LineList } from './line_list.js';
import { Reading, WINDOW } from './reading.js';
import { Saving, type Wanted } from './saving.js';

/** Milliseconds between two paints. */
const PAINT = 100;

export class OutputView {
  readonly node = element('section', 'tj-OutputView');

  constructor(
    site: Site,
    uuid: string,
    private readonly path: string,
    private readonly wait: Later = later
  ) {
    this.reading = new Reading(site, uuid, path, () => this.soon());
    this.saving = new Saving(site, uuid);
    this.list = new LineList(t('Output {name}', { name: printable(path) }), this.finder, () => this.soon());
    this.build();
    void this.reading.begin();
    this.paint();
  }

  /** The job has moved: what was refused may be there now. */
  update(job: JobRow): void {
    const isOver = isTerminal(job.status);
    if (!isOver || !this.isJobOver) {
      void this.reading.begin();
    }
    this.isJobOver = isOver;
    this.soon();
  }

  /** The live connection may be gone: fetch what has come since. */
  async catchUp(): Promise<void> {
    await this.reading.catchUp().catch(() => undefined);
  }

  /** Follow no more, until `wake`. */
  rest(): void {
    this.reading.rest();
  }

  wake(): void {
    void this.reading.begin();
  }

  dispose(): void {
    this.unwait?.();
    this.reading.stop();
    this.saving.dispose();
    this.list.dispose();
  }

  // -- what the buttons do

  private pause(): void {
    this.isPaused = !this.isPaused;
    this.pausedAt = this.newest;
    this.pauseButton.setAttribute('aria-pressed', String(this.isPaused));
    write(this.pauseButton, this.isPaused ? t('Go on') : t('Pause'));
    this.paint();
  }

  private toEnd(): void {
    if (this.isPaused) {
      this.pause();
    }
    this.list.toEnd();
    this.list.paint(this.shownLines);
    this.tell();
  }

  private seek(): void {
    this.finder.seek(this.search.value, this.shownLines);
    this.list.reveal(this.finder.hits[this.finder.current], this.shownLines);
    this.tell();
  }

  private step(steps: number): void {
    const hit = this.finder.step(steps);
    this.list.reveal(hit, this.shownLines);
    this.tell();
  }

  private wrap(): void {
    const isWrapped = this.list.node.classList.toggle('tj-mod-wrap');
    this.wrapButton.setAttribute('aria-pressed', String(isWrapped));
  }

  private async earlier(): Promise<void> {
    this.earlierButton.disabled = true;
    this.list.isAtEnd = false;
    try {
      await this.reading.earlier();
      this.say('');
    } catch (fault) {
      this.say(told(fault));
    }
    this.earlierButton.disabled = false;
  }

  private press(event: KeyboardEvent): void {
    const isTyping = event.target === this.search;
    if (event.key === 'Enter' && isTyping) {
      this.step(event.shiftKey ? 1 : -1);
    } else if (event.key === 'Escape' && isTyping && this.search.value) {
      this.search.value = '';
      this.seek();
    } else if (event.key === '/' && !isTyping) {
      this.search.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // -- drawing

  private build(): void {
    this.earlierButton = button('', t('Read up to {size} more before these', { size: size(WINDOW) }), () => void this.earlier());
    this.pauseButton = button(t('Pause'), t('Stop the picture; what comes in is kept'), () => this.pause());
    this.wrapButton = button(t('Wrap'), t('Break long lines'), () => this.wrap());
    this.endButton = button(t('To the end ↓'), t('Show the newest line and stay there'), () => this.toEnd());
    const up = button('↑', t('Hit before this one (Enter)'), () => this.step(-1));
    const down = button('↓', t('Hit after this one (Shift+Enter)'), () => this.step(1));
    up.setAttribute('aria-label', t('Hit before this one'));
    down.setAttribute('aria-label', t('Hit after this one'));
    const name = this.path.split('/').pop() ?? '';
    const wanted = (): Wanted => ({ path: this.path, name, size: null });
    const save = this.saving.link('tj-Button', t('Download'), t('Download {name} as it is now', { name: printable(name) }), wanted);
    this.search.addEventListener('input', () => this.seek());
    this.node.addEventListener('keydown', event => this.press(event));
    const finding = element('span', 'tj-Finding', {}, this.search, this.found, up, down);
    const bar = element('div', 'tj-Bar', { role: 'toolbar', 'aria-label': t('Output') }, finding, this.pauseButton, this.wrapButton, save);
    const below = element('div', 'tj-Bar tj-mod-below', {}, this.status, this.note, this.endButton);
    this.node.append(bar, this.saving.node, this.earlierButton, this.cut, this.list.node, below);
    this.wrap();
  }

  /** Paint, but at most ten times a second. */
  private soon(): void {
    this.unwait ??= this.wait(() => {
      this.unwait = null;
      this.paint();
    }, PAINT);
  }

  private paint(): void {
    if (!this.isPaused) {
      this.shownLines = [...this.reading.lines.all];
      this.finder.look(this.shownLines);
      this.list.paint(this.shownLines);
    }
    this.tell();
  }

  private tell(): void {
    const { before } = this.reading;
    show(this.earlierButton, before !== null && before > 0 && !this.isPaused);
    write(this.earlierButton, t('Earlier lines ({size})', { size: size(before ?? 0) }));
    show(this.cut, before === null);
    show(this.pauseButton, this.isPaused || this.reading.standing === 'live');
    show(this.endButton, this.isPaused || !this.list.isAtEnd);
    write(this.found, this.finder.told);
    write(this.status, this.sentence());
  }

  private sentence(): string {
    const { standing } = this.reading;
    const missed = this.newest - this.pausedAt;
    if (this.isPaused) {
      return missed > 0 ? tn('paused · {count} new line', 'paused · {count} new lines', missed) : t('paused');
    }
    if (standing === 'away') {
      return t('⚠ The server does not answer; it is tried again when it does.');
    }
    if (!this.shownLines.length) {
      return t(EMPTY[standing === 'over' ? (this.isJobOver ? 'over' : 'refused') : standing]);
    }
    const { length } = this.shownLines;
    const isLive = standing === 'live' && !this.isJobOver;
    return isLive ? tn('live · {count} line', 'live · {count} lines', length) : tn('{count} line', '{count} lines', length);
  }

  private say(words: string): void {
    write(this.note, printable(words));
  }

  private get newest(): number {
    return this.reading.lines.all.at(-1)?.number ?? -1;
  }

  private readonly finder = new Finder();
  private readonly reading: Reading;
  private readonly list: LineList;
  private readonly saving: Saving;
  private readonly search = element('input', 'tj-Input', { type: 'search', placeholder: t('Search'), 'aria-label': t('Search in the output') });
  private readonly found = element('span', 'tj-Found', { role: 'status' });
  private readonly status = element('span', 'tj-Caption');
  private readonly note = element('span', 'tj-Note', { role: 'status' });
  private readonly cut = element('div', 'tj-Caption', {}, t('Earlier lines are not kept here; the download has all.'));
  private shownLines: Reading['lines']['all'] = [];
  private isPaused = false;
  private isJobOver = false;
  private pausedAt = -1;
  private unwait: (() => void) | null = null;
  private earlierButton!: HTMLButtonElement;
  private pauseButton!: HTMLButtonElement;
  private wrapButton!: HTMLButtonElement;
  private endButton!: HTMLButtonElement;
}

const EMPTY = {
  opening: 'asking …',
  live: 'Nothing printed yet.',
  refused: 'Not there yet.',
  over: 'Nothing was printed.'
} as const;
