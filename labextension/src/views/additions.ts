/** Columns and actions of other packages in the grid: they come when they come; without them the rest works. */

import type { ExtraAction, ExtraColumn, RowExtras } from '../core/api.js';
import { RefusedError } from '../core/client.js';
import { Asking, type Extras, type Values } from '../core/extras.js';
import { t } from '../core/language.js';
import { later, type Later } from '../core/painter.js';
import { AGAIN } from '../core/patience.js';
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
    private readonly host: AdditionsHost,
    private readonly wait: Later = later
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

  /** Ask what there is; a source that does not answer is asked again later, and what it had stays. */
  async learn(): Promise<void> {
    this.stopWaiting();
    this.isStopped = this.isMissing = false;
    await Promise.all(this.sources.map((source, at) => this.load(source, at)));
    if (this.isGone) {
      return;
    }
    if (this.isMissing && !this.isStopped) {
      this.stopWaiting();
      this.unwait = this.wait(() => void this.learn(), AGAIN);
    }
    this.draw();
  }

  /** The view is seen again: learn what is still missing. */
  renew(): void {
    if (this.isMissing) {
      void this.learn();
    }
  }

  private async load(source: Extras, at: number): Promise<void> {
    try {
      this.found[at] = await source.load();
    } catch (fault) {
      // A server that has no such thing has answered.
      this.isMissing ||= !(fault instanceof RefusedError);
    }
  }

  private draw(): void {
    const found = this.sources.map((_, at) => this.found[at]);
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

  /** Nothing is asked any more, until `renew`. */
  stop(): void {
    this.isStopped = true;
    this.stopWaiting();
    this.asking.forEach(asking => asking.stop());
  }

  private stopWaiting(): void {
    this.unwait?.();
    this.unwait = null;
  }

  dispose(): void {
    this.isGone = true;
    this.stopWaiting();
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
  /** By the place of the source. */
  private readonly found: RowExtras[] = [];
  private unwait: (() => void) | null = null;
  private isMissing = false;
  private isStopped = false;
  private hasColumns = false;
  private isGone = false;
}
