/** Does something soon, not too often, and never twice at a time; asked for while it is under way, it is done once more. */

import { later, type Later } from './painter.js';

export class Soon {
  constructor(
    /** Settles, and never fails. */
    private readonly work: () => Promise<void>,
    /** Milliseconds to wait where it was begun less than so many ago. */
    private readonly pause: number,
    private readonly wait: Later = later,
    private readonly now: () => number = () => performance.now()
  ) {}

  ask(): void {
    if (this.isAtWork) {
      this.isAskedAgain = true;
    } else {
      this.unwait ??= this.wait(() => void this.begin(), this.begun + this.pause > this.now() ? this.pause : 0);
    }
  }

  /** Forget what was asked for. */
  stop(): void {
    this.unwait?.();
    this.unwait = null;
    this.isAskedAgain = false;
  }

  private async begin(): Promise<void> {
    this.unwait = null;
    this.begun = this.now();
    this.isAtWork = true;
    try {
      await this.work();
    } finally {
      this.isAtWork = false;
      if (this.isAskedAgain) {
        this.isAskedAgain = false;
        this.ask();
      }
    }
  }

  private begun = -Infinity;
  private isAtWork = false;
  private isAskedAgain = false;
  private unwait: (() => void) | null = null;
}
