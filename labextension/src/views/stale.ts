/** Says since when what is shown is old, and has it tried again. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { later } from '../core/painter.js';
import { AGAIN } from '../core/patience.js';
import { element, show, write } from '../dom.js';
import { printable } from '../words.js';


export class Stale {
  readonly node = element('div', 'tj-Trouble', { role: 'status', hidden: true });

  constructor(private readonly retry: () => void) {}

  /** The server did not answer, or null: it did. */
  tell(fault: unknown): void {
    if (fault === null) {
      this.since = null;
    } else {
      this.since ??= new Date();
      this.unretry ??= later(() => {
        this.unretry = null;
        this.retry();
      }, AGAIN);
    }
    const time = this.since?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const words = time ? t('What is shown is from before {time}; it is tried again by itself.', { time }) : '';
    write(this.node, words && `⚠ ${printable(told(fault))} ${words}`);
    show(this.node, words !== '');
  }

  stop(): void {
    this.unretry?.();
    this.unretry = null;
  }

  private since: Date | null = null;
  private unretry: (() => void) | null = null;
}
