/** Something in the dock that is found again as it was left, after something else took its place. */

import type { Docked } from './dock.js';

export class Kept {
  constructor(private readonly make: () => Promise<Docked>) {}

  async docked(): Promise<Docked> {
    this.made ??= this.make();
    const made = await this.made.catch((fault: unknown) => {
      this.made = null;
      throw fault;
    });
    made.setVisible(!this.isGone);
    return { node: made.node, setVisible: isVisible => made.setVisible(isVisible), dispose: () => made.setVisible(false) };
  }

  dispose(): void {
    this.isGone = true;
    this.made?.then(made => made.dispose(), () => undefined);
  }

  private made: Promise<Docked> | null = null;
  private isGone = false;
}
