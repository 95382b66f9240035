/** How far its application says a job is: a bar and its words. Words of the application are written as text. */

import { element, show, write } from './dom.js';
import type { JobRow } from './job.js';
import { printable, progressWords } from './words.js';

/** A bar with its words beside it; it hides where nothing was told. */
export class ProgressBar {
  draw(job: JobRow): void {
    const told = printable(progressWords(job));
    const percent = job.progress ?? null;
    show(this.node, told !== '');
    show(this.bar, percent !== null);
    write(this.words, told);
    this.node.title = told;
    if (percent !== null) {
      const shown = Math.min(100, Math.max(0, percent));
      this.full.style.width = `${shown}%`;
      this.bar.setAttribute('aria-valuenow', String(shown));
      this.bar.setAttribute('aria-valuetext', told);
    }
  }

  private readonly full = element('span', 'tj-ProgressFull');
  private readonly bar = element('span', 'tj-ProgressBar', { role: 'progressbar', 'aria-label': 'Progress', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.full);
  private readonly words = element('span', 'tj-ProgressWords');
  readonly node = element('div', 'tj-Progress', {}, this.bar, this.words);
}

/** A bar of its own, drawn once. */
export function progressBar(job: JobRow): HTMLElement {
  const drawn = new ProgressBar();
  drawn.draw(job);
  return drawn.node;
}
