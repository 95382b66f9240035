/** The place beside the grid where one job is looked at; below it where the view is narrow. */

import { button, element, show } from '../dom.js';

/** What stands in the place. */
export interface Docked {
  node: HTMLElement;
  dispose(): void;
  /** A hidden one causes no traffic. */
  setVisible(isVisible: boolean): void;
}

export class Dock {
  readonly node = element('aside', 'tj-Dock', { 'aria-label': 'Details' });

  constructor(
    private readonly make: (uuid: string) => Promise<Docked>,
    private readonly closed: () => void
  ) {
    const close = button('✕', 'Close the details', () => this.close());
    close.setAttribute('aria-label', close.title);
    close.classList.add('tj-Close');
    this.node.append(close, this.place);
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        this.close();
      }
    });
    show(this.node, false);
  }

  /** Show one job; the same again changes nothing. */
  async open(uuid: string): Promise<void> {
    if (uuid === this.uuid) {
      return;
    }
    this.clear();
    this.uuid = uuid;
    show(this.node, true);
    const made = await this.make(uuid);
    if (this.uuid !== uuid) {
      made.dispose();
      return;
    }
    this.shown = made;
    this.place.replaceChildren(made.node);
  }

  get isOpen(): boolean {
    return this.uuid !== null;
  }

  close(): void {
    this.clear();
    show(this.node, false);
    this.closed();
  }

  /** The page shows or hides the dock. */
  setVisible(isVisible: boolean): void {
    this.shown?.setVisible(isVisible);
  }

  dispose(): void {
    this.clear();
  }

  private clear(): void {
    this.shown?.dispose();
    this.shown = null;
    this.uuid = null;
    this.place.replaceChildren();
  }

  private readonly place = element('div', 'tj-DockPlace');
  private shown: Docked | null = null;
  private uuid: string | null = null;
}
