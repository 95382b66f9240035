/** Columns and actions that others add to the rows of jobs: which there are, what they tell, and doing them. */

import type { Asked, RowExtras } from './api.js';
import type { Client } from './client.js';
import { later, type Later } from './painter.js';

/** A text, a number, a yes or no, or nothing. */
export type Told = string | number | boolean | null;
/** By uuid, and by the name of the column. */
export type Values = Readonly<Record<string, Readonly<Record<string, Told>>>>;

/** Where such columns and actions come from; the packages of the server are one. */
export interface Extras {
  load(): Promise<RowExtras>;
  /** At most `AT_ONCE` jobs. */
  values(uuids: string[]): Promise<Values>;
  /** At most `AT_ONCE` jobs. */
  run(action: string, uuids: string[]): Promise<Asked[]>;
  /** Hear that there are more or others now; the result ends it. */
  changed?(tell: () => void): () => void;
}

/** Jobs of one call. */
export const AT_ONCE = 1000;
/** Milliseconds: rows that come within are asked for together. */
const TOGETHER = 200;

export class ServerExtras implements Extras {
  constructor(private readonly client: Client) {}

  async load(): Promise<RowExtras> {
    return (await this.client.call('GET /v3/tapisjobs/jobs/extras', {})).result;
  }

  async values(uuids: string[]): Promise<Values> {
    return (await this.client.call('POST /v3/tapisjobs/jobs/extras/values', { body: { uuids } })).result.values as Values;
  }

  async run(action: string, uuids: string[]): Promise<Asked[]> {
    const given = { path: { actionName: action }, body: { uuids } };
    return (await this.client.call('POST /v3/tapisjobs/jobs/extras/actions/{actionName}', given)).result;
  }
}

/** Asks for the values of rows that are seen, those that come together in one call. */
export class Asking {
  constructor(
    private readonly extras: Extras,
    private readonly tell: (values: Values) => void,
    private readonly wait: Later = later
  ) {}

  put(uuids: Iterable<string>): void {
    for (const uuid of uuids) {
      this.asked.add(uuid);
    }
    if (this.asked.size) {
      this.unwait ??= this.wait(() => void this.ask(), TOGETHER);
    }
  }

  stop(): void {
    this.unwait?.();
    this.unwait = null;
    this.asked.clear();
  }

  private async ask(): Promise<void> {
    this.unwait = null;
    const uuids = [...this.asked];
    this.asked.clear();
    for (let from = 0; from < uuids.length; from += AT_ONCE) {
      // A row without its values is a row all the same; they are asked for again with its next news.
      await this.extras.values(uuids.slice(from, from + AT_ONCE)).then(this.tell, () => undefined);
    }
  }

  private readonly asked = new Set<string>();
  private unwait: (() => void) | null = null;
}
