/** Collects changes and draws them together, at most ten times a second. */

/** Milliseconds between two paints. */
const PAUSE = 100;

export type Later = (work: () => void, ms: number) => () => void;

export const later: Later = (work, ms) => {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
};

/** Keeps the last value of each key until `paint` takes them all. */
export class Painter<T> {
  constructor(
    private readonly paint: (changed: Map<string, T>) => void,
    private readonly wait: Later = later,
    private readonly now: () => number = () => performance.now()
  ) {}

  put(key: string, value: T): void {
    this.changed.set(key, value);
    // The first change after a quiet time is drawn in the next moment, those that follow it wait for their turn.
    this.unwait ??= this.wait(() => this.flush(), Math.max(0, this.last + PAUSE - this.now()));
  }

  /** What waits to be drawn for a key. */
  pending(key: string): T | undefined {
    return this.changed.get(key);
  }

  stop(): void {
    this.unwait?.();
    this.unwait = null;
    this.changed.clear();
  }

  private flush(): void {
    this.unwait = null;
    this.last = this.now();
    const { changed } = this;
    this.changed = new Map();
    this.paint(changed);
  }

  private changed = new Map<string, T>();
  private last = -Infinity;
  private unwait: (() => void) | null = null;
}
