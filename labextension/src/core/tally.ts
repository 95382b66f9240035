/** How many jobs run, wait and have failed of late: asked again when news come, and not too often. */

import type { News } from './jobs.js';
import { EVERY, type Later } from '../live.js';
import type { Client } from './client.js';

export interface Numbers {
  /** Running, or their outputs are being put away. */
  readonly running: number;
  /** Accepted, and neither running nor ended. */
  readonly waiting: number;
  /** Held back by trouble that passes. */
  readonly blocked: number;
  /** Failed within the last day. */
  readonly failed: number;
}

/** Milliseconds: between two looks, until the next one where the server did not answer, and what "of late" is. */
const PAUSE = 1500;
const AGAIN = 20_000;
const LATELY = 86_400_000;

const RUNNING = ['RUNNING', 'ARCHIVING'];
const WAITING = ['PENDING', 'PROCESSING_INPUTS', 'STAGING_INPUTS', 'STAGING_JOB', 'SUBMITTING_JOB', 'QUEUED', 'PAUSED'];

export class Tally {
  /** `told` hears the numbers, and null where the server does not answer. */
  constructor(
    private readonly client: Client,
    live: News,
    private readonly told: (numbers: Numbers | null) => void,
    private readonly later: Later,
    private readonly now: () => number = Date.now
  ) {
    this.unwatch = live.watch(EVERY, { news: (_, event) => event.event && this.soon(), ask: () => this.soon() });
    this.soon();
  }

  /** Nobody looks at the page, or somebody does again. */
  show(isShown: boolean): void {
    this.isShown = isShown;
    this.soon();
  }

  stop(): void {
    this.unwatch();
    this.unlook?.();
    this.unlook = null;
    this.isShown = false;
  }

  private soon(): void {
    if (this.isShown && !this.unlook) {
      this.look(Math.max(0, this.looked + PAUSE - this.now()));
    }
  }

  private look(ms: number): void {
    this.unlook = this.later(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    this.looked = this.now();
    // What happens from here on may be missing in the answer.
    this.unlook = null;
    try {
      this.told(await this.count());
    } catch {
      this.told(null);
      if (this.isShown && !this.unlook) {
        this.look(AGAIN);
      }
    }
  }

  private async count(): Promise<Numbers> {
    const route = 'GET /v3/tapisjobs/jobs/counts';
    // Further parameters are conditions on the jobs.
    const lately = { 'status.eq': 'FAILED', 'ended.gt': new Date(this.now() - LATELY).toISOString() } as object;
    const [all, failed] = await Promise.all([this.client.call(route, {}), this.client.call(route, { query: lately })]);
    const { counts } = all.result;
    const sum = (statuses: readonly string[]): number => statuses.reduce((total, status) => total + (counts[status] ?? 0), 0);
    return { running: sum(RUNNING), waiting: sum(WAITING), blocked: sum(['BLOCKED']), failed: failed.result.total };
  }

  private readonly unwatch: () => void;
  private unlook: (() => void) | null = null;
  private looked = -Infinity;
  private isShown = true;
}
