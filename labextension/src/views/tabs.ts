/** Tabs as the ARIA Authoring Practices describe them: arrows move, Home and End jump, one panel is shown. */

import { t } from '../core/language.js';
import { element } from '../dom.js';

let count = 0;

export class Tabs {
  readonly node = element('div', 'tj-Tabs');

  /** `opened` is called with a tab's name each time it comes into view. */
  constructor(
    label: string,
    names: readonly string[],
    private readonly opened: (name: string) => void
  ) {
    const bar = element('div', 'tj-TabBar', { role: 'tablist', 'aria-label': label });
    bar.addEventListener('keydown', event => this.press(event));
    this.node.append(bar);
    for (const name of names) {
      const id = `tj-tab-${(count += 1)}`;
      const tab = element('button', 'tj-Tab', { type: 'button', role: 'tab', id, 'aria-controls': `${id}-panel` }, t(name));
      const panel = element('div', 'tj-TabPanel', { role: 'tabpanel', id: `${id}-panel`, 'aria-labelledby': id });
      tab.addEventListener('click', () => this.open(name));
      bar.append(tab);
      this.node.append(panel);
      this.parts.set(name, { tab, panel });
    }
  }

  current = '';

  panel(name: string): HTMLElement {
    return (this.parts.get(name) as Part).panel;
  }

  open(name: string): void {
    this.current = name;
    for (const [each, { tab, panel }] of this.parts) {
      const isShown = each === name;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      panel.hidden = !isShown;
    }
    this.opened(name);
  }

  private press(event: KeyboardEvent): void {
    const names = [...this.parts.keys()];
    const place = names.indexOf(this.current);
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) {
      return;
    }
    const name = names.at(to % names.length) as string;
    this.open(name);
    this.parts.get(name)?.tab.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly parts = new Map<string, Part>();
}

interface Part {
  tab: HTMLElement;
  panel: HTMLElement;
}
