/** The jobs that are chosen, by uuid: they stay chosen while rows come, go and are filtered. */

export class Selection {
  constructor(private readonly changed: () => void = () => undefined) {}

  get size(): number {
    return this.chosen.size;
  }

  get uuids(): string[] {
    return [...this.chosen];
  }

  has(uuid: string): boolean {
    return this.chosen.has(uuid);
  }

  /** How many chosen ones are not among these, which are all that is shown. */
  hidden(shown: Iterable<string>): number {
    const seen = new Set(shown);
    return this.uuids.filter(uuid => !seen.has(uuid)).length;
  }

  toggle(uuid: string): void {
    if (!this.chosen.delete(uuid)) {
      this.chosen.add(uuid);
    }
    this.changed();
  }

  add(uuids: Iterable<string>): void {
    for (const uuid of uuids) {
      this.chosen.add(uuid);
    }
    this.changed();
  }

  remove(uuids: Iterable<string>): void {
    for (const uuid of uuids) {
      this.chosen.delete(uuid);
    }
    this.changed();
  }

  clear(): void {
    this.chosen.clear();
    this.changed();
  }

  private readonly chosen = new Set<string>();
}
