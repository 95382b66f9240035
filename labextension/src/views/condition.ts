/** Sentences above the views, each there only while it is true: signed out, two versions, waiting for the kernel. */

import { element, show, write } from '../dom.js';
import { printable } from '../words.js';

export type Condition = 'signedOut' | 'version' | 'way' | 'waiting' | 'download';

export class ConditionBar {
  readonly node = element('div', 'tj-Conditions', { role: 'status' });

  /** Say it, or with '' say it no more. */
  state(condition: Condition, words: string): void {
    let line = this.lines.get(condition);
    if (!line) {
      line = element('div', `tj-Condition tj-mod-${condition}`);
      this.lines.set(condition, line);
      this.node.append(line);
    }
    write(line, printable(words));
    show(line, words !== '');
  }

  private readonly lines = new Map<Condition, HTMLElement>();
}
