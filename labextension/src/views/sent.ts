/** The job that was just submitted, with its state as it moves. */

import { isOlder } from '../card.js';
import type { JobDetails } from '../core/api.js';
import { button, element, write } from '../dom.js';
import type { JobRow } from '../job.js';
import { printable, sentence, stateWords } from '../words.js';
import type { Site } from './site.js';

export class Sent {
  readonly node = element('section', 'tj-Sent tj-Tone', { 'aria-label': 'The submitted job' });

  constructor(
    private readonly site: Pick<Site, 'client' | 'live'>,
    private readonly job: JobDetails,
    open?: (uuid: string) => void
  ) {
    this.node.append(element('strong', 'tj-Name', {}, printable(job.name)), this.state, element('code', '', {}, job.uuid));
    if (open) {
      this.node.append(button('Open the job', 'Show its output and files', () => open(job.uuid)));
    }
    this.draw(job);
    this.watch();
    // A short job may have ended before anyone listened.
    void this.ask();
  }

  /** The page shows or hides it; hidden it causes no traffic. */
  setVisible(isVisible: boolean): void {
    if (!isVisible) {
      this.dispose();
    } else if (!this.unwatch) {
      this.watch();
      void this.ask();
    }
  }

  dispose(): void {
    this.unwatch?.();
    this.unwatch = null;
  }

  private watch(): void {
    this.unwatch = this.site.live.watch(this.job.uuid, { news: row => this.draw(row), ask: () => void this.ask() });
  }

  private async ask(): Promise<void> {
    try {
      this.draw((await this.site.client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: this.job.uuid } })).result);
    } catch {
      // The live connection asks again when it is back.
    }
  }

  /** What was asked for may come after news that are younger. */
  private draw(row: JobRow): void {
    if (this.shown && isOlder(row, this.shown)) {
      return;
    }
    this.shown = row;
    const { glyph, tone } = stateWords(row.status);
    this.node.dataset['tone'] = tone;
    write(this.state, printable(`${glyph} ${sentence(row, Date.now())}`));
  }

  private readonly state = element('span', 'tj-Status', { role: 'status' });
  private shown: JobRow | null = null;
  private unwatch: (() => void) | null = null;
}
