/** One question over the page that waits for its answer: Escape or a no takes it away. */

import { button, element } from '../dom.js';

let count = 0;

export class Dialog {
  readonly node = element('dialog', 'tj-Dialog');

  constructor() {
    this.node.addEventListener('cancel', event => {
      event.preventDefault();
      this.end(null);
    });
    // Keys meant for an answer are not the page's.
    this.node.addEventListener('keydown', event => event.stopPropagation());
  }

  /**
   * The answer of the person: what stands in `entry`, '' without one; null after a no. `body` is what the
   * question is about, `yes` the words of the button that agrees.
   */
  ask(title: string, body: readonly Node[], yes: string, entry?: HTMLInputElement): Promise<string | null> {
    this.end(null);
    const id = `tj-dialog-${(count += 1)}`;
    const form = element('form', 'tj-DialogForm', { method: 'dialog' });
    const agree = element('button', 'tj-Button tj-mod-main', { type: 'submit' }, yes);
    const refuse = button('Stop', 'Take the question away; nothing is done', () => this.end(null));
    form.append(element('h3', 'tj-Title', { id }, title), ...body, ...(entry ? [entry] : []), element('div', 'tj-Bar', {}, agree, refuse));
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.end(entry?.value ?? '');
    });
    this.node.setAttribute('aria-labelledby', id);
    this.node.replaceChildren(form);
    this.before = document.activeElement;
    open(this.node);
    (entry ?? refuse).focus();
    return new Promise(answer => (this.answer = answer));
  }

  /** Take the question away where there is one; it is answered with no. */
  close(): void {
    this.end(null);
  }

  private end(answer: string | null): void {
    const tell = this.answer;
    if (!tell) {
      return;
    }
    this.answer = null;
    this.node.close?.();
    this.node.removeAttribute('open');
    // Nothing that was typed stays in the page.
    this.node.replaceChildren();
    if (this.before instanceof HTMLElement) {
      this.before.focus();
    }
    tell(answer);
  }

  private before: Element | null = null;
  private answer: ((answer: string | null) => void) | null = null;
}

function open(node: HTMLDialogElement): void {
  if (node.showModal && node.isConnected) {
    node.showModal();
  } else {
    node.setAttribute('open', '');
  }
}
