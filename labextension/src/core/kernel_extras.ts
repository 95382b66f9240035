/** Columns and actions that a notebook has added: they run in its kernel, and so wait for the running cell. */

import { list, record } from '../job.js';
import type { Asked, RowExtras } from './api.js';
import { RefusedError } from './client.js';
import type { Extras, Values } from './extras.js';
import type { KernelLine, Message, Model } from './kernel_line.js';

export class KernelExtras implements Extras {
  constructor(
    private readonly model: Model,
    private readonly line: KernelLine
  ) {}

  /** Their titles are in the widget's state: to show them nothing waits. */
  async load(): Promise<RowExtras> {
    const known = record(this.model.get('extras'));
    return { columns: list(known['columns']), actions: list(known['actions']), faults: [] } as unknown as RowExtras;
  }

  async values(uuids: string[]): Promise<Values> {
    const { columns } = await this.load();
    return columns.length ? ((await this.ask({ type: 'values', uuids })) as Values) : {};
  }

  async run(name: string, uuids: string[]): Promise<Asked[]> {
    return list(await this.ask({ type: 'run', name, uuids })) as unknown as Asked[];
  }

  /** Hear that the notebook has added some; the result ends it. */
  changed(tell: () => void): () => void {
    this.model.on('change:extras', tell);
    return () => this.model.off('change:extras', tell);
  }

  private ask(message: Message): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = this.line.ask(this.line.name(), message, told => {
        end();
        if (typeof told['trouble'] === 'string') {
          reject(new RefusedError(503, told['trouble']));
        } else {
          resolve(told['result']);
        }
      });
    });
  }
}
