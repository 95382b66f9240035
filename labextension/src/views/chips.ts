/** A chip for each group of states, with its number; pressed ones filter. */

import { t } from '../core/language.js';
import { GROUPS } from '../core/search.js';
import { element, show, write } from '../dom.js';
import { stateWords } from '../words.js';

interface Chip {
  node: HTMLButtonElement;
  count: HTMLElement;
}

export class Chips {
  readonly node = element('div', 'tj-Chips', { role: 'group', 'aria-label': 'Filter by state' });

  constructor(private readonly changed: (groups: ReadonlySet<string>) => void) {
    for (const { name, status } of GROUPS) {
      const { glyph, tone } = stateWords(status);
      const count = element('span', 'tj-Count');
      const mark = element('span', 'tj-Tone tj-Glyph', { 'aria-hidden': 'true' }, glyph);
      mark.dataset['tone'] = tone;
      const node = element('button', 'tj-Chip', { type: 'button', 'aria-pressed': 'false' }, mark, ` ${t(name)} `, count);
      node.addEventListener('click', () => this.toggle(name));
      this.chips.set(name, { node, count });
      this.node.append(node);
    }
    this.tell(new Map());
  }

  /** Write the numbers; a chip that stands for no job is left out, unless it is pressed. */
  tell(counts: ReadonlyMap<string, number>): void {
    for (const [name, { node, count }] of this.chips) {
      const number = counts.get(name) ?? 0;
      write(count, number.toLocaleString());
      show(node, number > 0 || this.pressed.has(name));
    }
  }

  private toggle(name: string): void {
    if (!this.pressed.delete(name)) {
      this.pressed.add(name);
    }
    this.chips.get(name)?.node.setAttribute('aria-pressed', String(this.pressed.has(name)));
    this.changed(new Set(this.pressed));
  }

  private readonly chips = new Map<string, Chip>();
  private readonly pressed = new Set<string>();
}
