/** Reads one output from near its end on, and earlier parts of it when asked. */

import { outputSize, slice, type Site } from './site.js';
import { OutputLines } from './lines.js';

/** Bytes read at the beginning, and with each step back. */
export const WINDOW = 256 * 1024;

/** Bytes that may have come meanwhile; where there are more it begins anew near the end. */
const FAR = 4 * WINDOW;

/** `opening` until the size is known; `over` when no more comes. */
export type Standing = 'opening' | 'live' | 'over' | 'away';

export class Reading {
  readonly lines = new OutputLines();
  standing: Standing = 'opening';

  constructor(
    private readonly site: Site,
    readonly uuid: string,
    readonly path: string,
    private readonly changed: () => void
  ) {}

  /** Bytes before the first line that is kept; 0 when none are, null when they are no longer counted. */
  get before(): number | null {
    return this.lines.isCut ? null : this.from;
  }

  /** Begin, or go on where it was refused or the server was away. */
  async begin(): Promise<void> {
    if (this.standing === 'live' || this.isAsking || this.isGone) {
      return;
    }
    this.isAsking = true;
    try {
      const size = await outputSize(this.site, this.uuid, this.path);
      if (this.isGone || !this.isAsking) {
        return;
      }
      if (this.hasBegun && size - this.reached > FAR) {
        this.lines.clear();
        this.hasBegun = false;
      }
      this.follow(this.hasBegun ? this.reached : Math.max(0, size - WINDOW));
    } catch {
      this.stand('away');
    }
    this.isAsking = false;
  }

  /** Read the part before the first line. */
  async earlier(): Promise<void> {
    const end = this.from;
    if (!end || this.lines.isCut) {
      return;
    }
    const start = Math.max(0, end - WINDOW);
    const bytes = await slice(this.site, this.uuid, this.path, start, end);
    const skipped = start ? bytes.indexOf(NEWLINE) + 1 : 0;
    if (this.isGone || this.from !== end || this.lines.isCut) {
      return;
    }
    this.from = start + skipped;
    this.lines.addBefore(new TextDecoder().decode(bytes.subarray(skipped)));
    this.changed();
  }

  /** Fetch the whole lines that have come since, where the live connection does not bring them. */
  async catchUp(): Promise<void> {
    const start = this.reached;
    if (this.standing !== 'live') {
      return;
    }
    const size = Math.min(await outputSize(this.site, this.uuid, this.path), start + WINDOW);
    if (size <= start) {
      return;
    }
    const bytes = await slice(this.site, this.uuid, this.path, start, size);
    const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    if (this.isGone || this.standing !== 'live' || this.reached !== start || !whole.length) {
      return;
    }
    this.hear(new TextDecoder().decode(whole), start + whole.length);
    this.follow(start + whole.length);
  }

  /** Follow no more for now; `begin` goes on from here. */
  rest(): void {
    this.untail?.();
    this.untail = null;
    this.isAsking = false;
    this.standing = 'opening';
  }

  stop(): void {
    this.isGone = true;
    this.untail?.();
  }

  private follow(from: number): void {
    this.untail?.();
    this.standing = 'live';
    if (!this.hasBegun) {
      this.from = from;
      // A window rarely begins where a line does.
      this.isInLine = from > 0;
    }
    this.reached = from;
    this.hasBegun = true;
    const hear = (told: string, end = this.reached + bytesOf(told)): void => this.hear(told, end);
    this.untail = this.site.live.tail(this.uuid, this.path, from, hear, () => this.stand('over'));
    this.changed();
  }

  /** `end` is the byte up to which `told` goes. */
  private hear(told: string, end: number): void {
    this.reached = end;
    const rest = this.isInLine ? told.indexOf('\n') + 1 : 0;
    this.from += bytesOf(told.slice(0, rest));
    this.isInLine = false;
    this.lines.add(told.slice(rest));
    this.changed();
  }

  private stand(standing: Standing): void {
    if (!this.isGone) {
      this.standing = standing;
      this.changed();
    }
  }

  private from = 0;
  /** The byte up to which it was heard. */
  private reached = 0;
  private hasBegun = false;
  private isAsking = false;
  private isInLine = false;
  private isGone = false;
  private untail: (() => void) | null = null;
}

const NEWLINE = 10;

function bytesOf(told: string): number {
  return new TextEncoder().encode(told).length;
}
