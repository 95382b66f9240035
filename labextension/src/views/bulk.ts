/** What is done to all chosen jobs: asked once, with their number and names; the answer is a row for each. */

import { told } from '../core/client.js';
import type { Outcome } from '../core/each.js';
import { t } from '../core/language.js';
import type { Selection } from '../core/selection.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';
import { jobsOf, type Deed } from './deeds.js';

/** Names in a question, and answers below it. */
const NAMED = 5;
const TOLD = 20;

export interface BulkHost {
  selection: Selection;
  /** uuids that are known to pass the filter. */
  shown(): Iterable<string>;
  name(uuid: string): string | undefined;
  all(): Promise<string[]>;
  total(): number;
  /** Something was done that brings no news. */
  changed(): void;
}

export class Bulk {
  readonly node = element('div', 'tj-Bulk', { role: 'region', 'aria-label': 'Selected jobs' });

  constructor(
    private readonly host: BulkHost,
    deeds: readonly Deed[]
  ) {
    this.allButton = button('Select all', 'Select all jobs that the filter shows', () => void this.selectAll());
    this.clear = button('Clear', 'Select nothing', () => host.selection.clear());
    this.bar.append(this.words, this.doing, this.allButton, this.clear);
    this.node.append(this.bar, this.question, this.results);
    show(this.question, false);
    show(this.results, false);
    deeds.forEach(deed => this.add(deed));
    this.draw();
  }

  /** One more thing that can be done. */
  add(deed: Deed): void {
    const { isOffered } = deed;
    const node = button(printable(deed.label), printable(deed.title), () => this.ask(deed, this.host.selection.uuids));
    this.doing.append(node);
    if (isOffered) {
      this.offers.push(() => show(node, isOffered()));
    }
  }

  /** One more button, which asks in its own way. */
  addButton(node: HTMLButtonElement): void {
    this.doing.append(node);
  }

  /** The selection, or what is shown, has changed. */
  draw(): void {
    const { selection, shown, total } = this.host;
    const hidden = selection.hidden(shown());
    const number = selection.size.toLocaleString();
    const unseen = t('{number} selected, {hidden} not in view', { number, hidden: hidden.toLocaleString() });
    // The bar itself stays: no row moves away from under the mouse that has just chosen one.
    const isNone = selection.size === 0;
    const seen = isNone ? t('Nothing selected') : t('{number} selected', { number });
    write(this.words, hidden ? unseen : seen);
    write(this.allButton, t('Select all {count}', { count: total().toLocaleString() }));
    this.bar.classList.toggle('tj-mod-none', isNone);
    this.offers.forEach(offer => offer());
    [this.doing, this.clear].forEach(node => show(node, !isNone));
    show(this.bar, !isNone || total() > 0);
  }

  /** Do it, after a question where it has one. */
  ask(deed: Deed, uuids: string[]): void {
    if (!uuids.length) {
      return;
    }
    const { ask, yes } = deed;
    if (!ask || !yes) {
      void this.run(deed, uuids);
      return;
    }
    const count = uuids.length;
    const agree = button(printable(yes(count)), 'Do it now', () => {
      this.close();
      void this.run(deed, uuids);
    });
    const words = element('span', 'tj-Words', {}, `${printable(ask(count))} ${this.which(uuids)} `);
    this.put(`${deed.label} ${jobsOf(count)}`, words, agree, button('Keep', 'Let them be', () => this.close()));
    agree.focus();
  }

  /** Show a question, or a small form, in its place. */
  put(label: string, ...nodes: Node[]): void {
    this.before = document.activeElement;
    this.question.setAttribute('aria-label', printable(label));
    this.question.replaceChildren(...nodes);
    show(this.question, true);
  }

  /** Take the question away, and give the keyboard back to where it was. */
  close(): void {
    show(this.question, false);
    if (this.before instanceof HTMLElement && this.before.isConnected) {
      this.before.focus();
    }
  }

  /** The first few names, and how many more there are. */
  which(uuids: readonly string[]): string {
    const names = uuids.slice(0, NAMED).map(uuid => printable(this.host.name(uuid) || uuid));
    const more = uuids.length - names.length;
    return names.join(', ') + (more > 0 ? ` ${t('and {count} more', { count: more.toLocaleString() })}` : '');
  }

  async run(deed: Deed, uuids: string[]): Promise<void> {
    const all = uuids.length.toLocaleString();
    const { doing } = deed;
    const step = (done: number): void => this.tell(t('{doing}: {done} of {all} …', { doing, done: done.toLocaleString(), all }));
    step(0);
    try {
      const outcomes = await deed.run(uuids, step);
      this.tellOutcomes(deed, outcomes);
      if (deed.isLast) {
        this.host.selection.remove(uuidsOf(outcomes));
      }
    } catch (fault) {
      this.tell(`${t('{doing} failed.', { doing })} ${told(fault)}`);
    }
    if (deed.isQuiet) {
      this.host.changed();
    }
  }

  private tellOutcomes(deed: Deed, outcomes: Outcome[]): void {
    const good = uuidsOf(outcomes);
    this.tell(deed.done({ good: good.length.toLocaleString(), all: outcomes.length.toLocaleString() }));
    const { undo } = deed;
    if (undo && good.length) {
      this.results.append(button('Undo', 'Take it back', () => void this.undo(deed, undo, good)));
    }
    const refused = outcomes.filter(({ status }) => status !== 'success');
    const rows = refused.slice(0, TOLD).map(({ uuid, message }) =>
      element('li', '', {}, element('strong', '', {}, printable(this.host.name(uuid) || uuid)), `: ${printable(message)}`)
    );
    if (rows.length) {
      const more = refused.length - rows.length;
      const rest = more > 0 ? [element('li', '', {}, t('and {count} more', { count: more.toLocaleString() }))] : [];
      this.results.append(element('ul', 'tj-Refused', {}, ...rows, ...rest));
    }
  }

  private undo(deed: Deed, undo: NonNullable<Deed['undo']>, uuids: string[]): Promise<void> {
    const back: Deed = {
      label: t('Undo'), title: '', doing: t('Taking back'), run: undo, isQuiet: deed.isQuiet ?? false,
      done: counts => t('{good} of {all} are as they were.', counts)
    };
    return this.run(back, uuids);
  }

  /** Say something in the place of results. */
  tell(words: string): void {
    const close = button('Close', 'Close this message', () => show(this.results, false));
    this.results.replaceChildren(element('span', 'tj-Words', {}, printable(words)), close);
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
  /** Show or hide buttons that make no sense at times. */
  private readonly offers: (() => void)[] = [];
  private readonly doing = element('span', 'tj-Doing');
  private readonly question = element('div', 'tj-Question', { role: 'alertdialog' });
  private readonly results = element('div', 'tj-Results', { role: 'status' });
  private readonly allButton: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;
  private before: Element | null = null;
}

function uuidsOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.filter(({ status }) => status === 'success').map(({ uuid }) => uuid);
}
