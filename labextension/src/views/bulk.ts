/** What is done to all chosen jobs: asked once, with their number and names; the answer is a row for each. */

import type { Cancelled } from '../core/api.js';
import { told } from '../core/client.js';
import type { Jobs } from '../core/jobs.js';
import type { Selection } from '../core/selection.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';

/** Names in a question, and refusals below it. */
const NAMED = 5;
const REFUSED = 20;

export interface BulkHost {
  jobs: Jobs;
  selection: Selection;
  /** uuids that are known to pass the filter. */
  shown(): Iterable<string>;
  name(uuid: string): string | undefined;
  all(): Promise<string[]>;
  total(): number;
}

export class Bulk {
  readonly node = element('div', 'tj-Bulk', { role: 'region', 'aria-label': 'Selected jobs' });

  constructor(private readonly host: BulkHost) {
    this.allButton = button('Select all', 'Select all jobs that the filter shows', () => void this.selectAll());
    const cancel = button('Cancel…', 'End the selected jobs', () => this.ask(host.selection.uuids));
    const clear = button('Clear', 'Select nothing', () => host.selection.clear());
    this.bar.append(this.words, cancel, this.allButton, clear);
    this.node.append(this.bar, this.question, this.results);
    show(this.question, false);
    show(this.results, false);
    this.draw();
  }

  /** The selection, or what is shown, has changed. */
  draw(): void {
    const { selection, shown, total } = this.host;
    const hidden = selection.hidden(shown());
    const number = selection.size.toLocaleString();
    write(this.words, hidden ? `${number} selected, ${hidden.toLocaleString()} not in view` : `${number} selected`);
    write(this.allButton, `Select all ${total().toLocaleString()}`);
    show(this.bar, selection.size > 0);
  }

  /** Ask before jobs are ended. */
  ask(uuids: string[]): void {
    if (!uuids.length) {
      return;
    }
    const names = uuids.slice(0, NAMED).map(uuid => printable(this.host.name(uuid) ?? uuid));
    const more = uuids.length - names.length;
    const which = names.join(', ') + (more > 0 ? ` and ${more.toLocaleString()} more` : '');
    const many = uuids.length === 1 ? 'this job' : `these ${uuids.length.toLocaleString()} jobs`;
    const yes = button(uuids.length === 1 ? 'Cancel the job' : `Cancel ${uuids.length.toLocaleString()} jobs`, 'End them now', () => {
      show(this.question, false);
      void this.cancel(uuids);
    });
    const no = button('Keep', 'Let them go on', () => show(this.question, false));
    this.question.replaceChildren(element('span', 'tj-Words', {}, `End ${many}? ${which} `), yes, no);
    show(this.question, true);
    yes.focus();
  }

  private async cancel(uuids: string[]): Promise<void> {
    this.tell(`Cancelling ${uuids.length.toLocaleString()} …`);
    try {
      this.tellResults(await this.host.jobs.cancel(uuids));
    } catch (fault) {
      this.tell(`Not cancelled: ${told(fault)}`);
    }
  }

  private tellResults(results: Cancelled[]): void {
    const refused = results.filter(({ status }) => status !== 'success');
    const asked = results.length - refused.length;
    this.tell(`${asked.toLocaleString()} of ${results.length.toLocaleString()} are asked to end.`);
    const rows = refused.slice(0, REFUSED).map(({ uuid, message }) =>
      element('li', '', {}, element('strong', '', {}, printable(this.host.name(uuid) ?? uuid)), `: ${printable(message)}`)
    );
    if (rows.length) {
      const more = refused.length - rows.length;
      this.results.append(element('ul', 'tj-Refused', {}, ...rows, ...(more > 0 ? [element('li', '', {}, `and ${more} more`)] : [])));
    }
  }

  private tell(words: string): void {
    const close = button('Close', 'Close this message', () => show(this.results, false));
    this.results.replaceChildren(element('span', 'tj-Words', {}, words), close);
    show(this.results, true);
  }

  private async selectAll(): Promise<void> {
    try {
      this.host.selection.add(await this.host.all());
    } catch (fault) {
      this.tell(told(fault));
    }
  }

  private readonly bar = element('div', 'tj-BulkBar');
  private readonly words = element('span', 'tj-Words');
  private readonly question = element('div', 'tj-Question', { role: 'alertdialog', 'aria-label': 'Cancel jobs?' });
  private readonly results = element('div', 'tj-Results', { role: 'status' });
  private readonly allButton: HTMLButtonElement;
}
