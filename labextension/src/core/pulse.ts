/** Notices that a connection has gone silent, by the rhythm in which its server says at least something. */

import type { Later } from '../live.js';

/** So many beats may be missed, and so many milliseconds more. */
const BEATS = 2;
const GRACE = 5000;

export class Pulse {
  constructor(
    private readonly later: Later,
    private readonly now: () => number,
    /** Called once for each silence, until it begins anew. */
    private readonly silent: () => void
  ) {}

  /** The server says something each `seconds` at least; nothing is watched before that is known. */
  learn(seconds: number): void {
    if (seconds > 0) {
      this.limit = 1000 * BEATS * seconds + GRACE;
      this.arm();
    }
  }

  /** A connection is opened: that, too, may take so long only. */
  begin(): void {
    this.isWatching = true;
    this.beat();
    this.arm();
  }

  /** Something has come. */
  beat(): void {
    this.heard = this.now();
  }

  end(): void {
    this.isWatching = false;
    this.unwait?.();
    this.unwait = null;
  }

  /** Is it silent? The page asks, too: while a laptop sleeps no clock of a page goes. */
  look(): void {
    if (this.isWatching && this.limit && this.now() - this.heard >= this.limit) {
      this.end();
      this.silent();
    }
  }

  private arm(): void {
    if (this.isWatching && this.limit) {
      this.unwait ??= this.later(() => {
        this.unwait = null;
        this.look();
        this.arm();
      }, Math.max(0, this.heard + this.limit - this.now()));
    }
  }

  private limit = 0;
  private heard = 0;
  private isWatching = false;
  private unwait: (() => void) | null = null;
}
