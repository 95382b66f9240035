/** Pages of rows as they were last read: what is shown where the server does not answer. */

import type { Page } from './jobs.js';

/** Pages that are kept. */
const MOST = 20;

export class KnownPages {
  /** A page of what `question` asks for, from row `start` on; answers to another question are forgotten. */
  keep(question: string, start: number, page: Page): void {
    if (question !== this.question) {
      this.pages.clear();
      this.question = question;
    }
    this.pages.delete(start);
    this.pages.set(start, page);
    const [oldest] = this.pages.keys();
    if (this.pages.size > MOST && oldest !== undefined) {
      this.pages.delete(oldest);
    }
  }

  /** The page that was last read from this row on, whatever was asked for. */
  from(start: number): Page | undefined {
    return this.pages.get(start);
  }

  private question = '';
  private readonly pages = new Map<number, Page>();
}
