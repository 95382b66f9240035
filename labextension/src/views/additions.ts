/** Columns and actions of other packages in the grid: they come when they come; without them the rest works. */

import type { ExtraAction, ExtraColumn } from '../core/api.js';
import { Asking, type Extras, type Values } from '../core/extras.js';
import { t } from '../core/language.js';
import { added, type Deed } from './deeds.js';

export interface AdditionsHost {
  columns(columns: readonly ExtraColumn[]): void;
  values(values: Values): void;
  deed(deed: Deed): void;
  /** Something of them is not as it should be. */
  say(words: string): void;
  /** uuids of the jobs that are loaded. */
  loaded(): string[];
}

export class Additions {
  constructor(
    private readonly sources: readonly Extras[],
    private readonly host: AdditionsHost
  ) {
    this.asking = sources.map(source => new Asking(source, values => host.values(values)));
    this.unlearn = sources.map(source => source.changed?.(() => void this.learn()));
  }

  /** What their columns have for these jobs is wanted. */
  ask(uuids: readonly string[]): void {
    if (this.hasColumns) {
      this.asking.forEach(asking => asking.put(uuids));
    }
  }

  async learn(): Promise<void> {
    const found = await Promise.all(this.sources.map(source => source.load().catch(() => null)));
    if (this.isGone) {
      return;
    }
    const columns = found.flatMap(extras => extras?.columns ?? []);
    found.forEach((extras, at) => extras?.actions.forEach(action => this.offer(action, this.sources[at] as Extras)));
    const faults = found.flatMap(extras => extras?.faults ?? []);
    if (faults.length) {
      this.host.say(`⚠ ${t('Not all that other packages add is here: {faults}', { faults: faults.join('; ') })}`);
    }
    if (columns.length) {
      this.hasColumns = true;
      this.host.columns(columns);
      this.ask(this.host.loaded());
    }
  }

  stop(): void {
    this.asking.forEach(asking => asking.stop());
  }

  dispose(): void {
    this.isGone = true;
    this.unlearn.forEach(end => end?.());
  }

  private offer(action: ExtraAction, source: Extras): void {
    if (!this.offered.has(action.name)) {
      this.offered.add(action.name);
      this.host.deed(added(action, source));
    }
  }

  private readonly asking: readonly Asking[];
  private readonly unlearn: readonly ((() => void) | undefined)[];
  private readonly offered = new Set<string>();
  private hasColumns = false;
  private isGone = false;
}
