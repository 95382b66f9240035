/** Jobs that were told of and are not yet among the rows that are loaded. */

export class Newcomers {
  get size(): number {
    return this.uuids.size;
  }

  add(uuid: string): void {
    this.uuids.add(uuid);
  }

  clear(): void {
    this.uuids.clear();
  }

  /** Called as rows are asked for, and its result when they have come: who was told of in between may not be there yet. */
  asked(): (rows: readonly { uuid: string }[]) => void {
    const told = [...this.uuids];
    return rows => [...told, ...rows.map(({ uuid }) => uuid)].forEach(uuid => this.uuids.delete(uuid));
  }

  private readonly uuids = new Set<string>();
}
