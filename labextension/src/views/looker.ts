/** Looks at the server when a view comes into sight and again and again, and tells when it does not answer. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import type { Later } from '../core/painter.js';
import { AGAIN } from '../core/patience.js';
import { element, show, write } from '../dom.js';
import { printable } from '../words.js';


export class Looker {
  /** Says since when what is shown is old. */
  readonly node = element('div', 'tj-Trouble', { role: 'status', hidden: true });

  /** `look` asks and draws; `pause` are the milliseconds between two looks. */
  constructor(
    private readonly look: () => Promise<void>,
    private readonly pause: number,
    private readonly wait: Later
  ) {}

  show(isShown: boolean): void {
    if (isShown === this.isShown) {
      return;
    }
    this.isShown = isShown;
    if (isShown) {
      this.now();
    } else {
      this.unwait?.();
      this.unwait = null;
    }
  }

  /** Look now; where a look is under way, another one follows it. */
  now(): void {
    if (this.isLooking) {
      this.isAskedAgain = true;
    } else if (this.isShown) {
      this.unwait?.();
      this.unwait = null;
      void this.turn();
    }
  }

  private async turn(): Promise<void> {
    this.isLooking = true;
    this.isAskedAgain = false;
    let next = this.pause;
    try {
      await this.look();
      this.tell(null);
    } catch (fault) {
      this.tell(fault);
      next = AGAIN;
    }
    this.isLooking = false;
    if (this.isAskedAgain) {
      this.now();
    } else if (this.isShown) {
      this.unwait = this.wait(() => this.now(), next);
    }
  }

  private tell(fault: unknown): void {
    this.since = fault === null ? null : (this.since ?? new Date());
    const at = this.since?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    write(this.node, at ? `⚠ ${t('{trouble} What is shown is from before {time}; it is tried again by itself.', { trouble: printable(told(fault)), time: at })}` : '');
    show(this.node, at !== undefined);
  }

  private isShown = false;
  private isLooking = false;
  private isAskedAgain = false;
  private since: Date | null = null;
  private unwait: (() => void) | null = null;
}
