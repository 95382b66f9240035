/** One question before something is ended: what it is about, a yes in its own words, and a no. */

import { button, element, show } from '../dom.js';

export class Question {
  readonly node = element('div', 'tj-Question', { role: 'alertdialog', hidden: true });

  /** Ask; `act` is called after a yes. Both give the keyboard back to where it was. */
  ask(words: string, yes: string, act: () => void): void {
    const before = document.activeElement;
    const close = (): void => {
      show(this.node, false);
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
    const agree = button(yes, words, () => {
      close();
      act();
    });
    this.node.setAttribute('aria-label', words);
    this.node.replaceChildren(element('span', 'tj-Words', {}, `${words} `), agree, button('Keep', 'Let it go on', close));
    show(this.node, true);
    agree.focus();
  }

  close(): void {
    show(this.node, false);
  }
}
