/** The filter of one column, opened from its header: a condition and values, or a list to choose from. */

import type { IAfterGuiAttachedParams, IFilterComp, IFilterParams } from 'ag-grid-community';

import { told } from '../core/client.js';
import { filterOf, wayOf, WAYS, type ColumnFilter, type Kind } from '../core/column_filters.js';
import type { Choices } from '../core/jobs.js';
import { t } from '../core/language.js';
import { later } from '../core/painter.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';

/** Milliseconds after the last key. */
const TYPED = 400;
/** More choices than these get a field that finds some. */
const FEW = 8;
const INPUTS: Readonly<Record<Kind, string>> = { choice: 'checkbox', text: 'search', number: 'number', date: 'date' };

export interface FilterSetting {
  kind: Kind;
  title: string;
  /** The values that there are, for a choice. */
  choices?(): Promise<Choices>;
}

export class ColumnFilterForm implements IFilterComp {
  /** Begun by the grid. */
  init(params: IFilterParams & FilterSetting): void {
    this.params = params;
    this.node.setAttribute('aria-label', t('Filter by {column}', { column: params.title }));
    const clear = button('Clear', 'Filter by this column no more', () => this.clear());
    this.node.append(...(params.kind === 'choice' ? [this.find, this.offers] : this.fields()), this.note, clear);
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      this.apply();
      this.hide?.();
    });
    [this.find, this.note].forEach(node => show(node, false));
    this.find.addEventListener('input', () => this.narrow());
  }

  getGui(): HTMLElement {
    return this.node;
  }

  refresh(params: IFilterParams & FilterSetting): boolean {
    this.params = params;
    return true;
  }

  isFilterActive(): boolean {
    return this.model !== null;
  }

  /** The server has done it. */
  doesFilterPass(): boolean {
    return true;
  }

  getModel(): ColumnFilter | null {
    return this.model;
  }

  setModel(model: ColumnFilter | null): void {
    this.model = model;
    this.fill();
  }

  afterGuiAttached(attached?: IAfterGuiAttachedParams): void {
    this.hide = attached?.hidePopup;
    this.fill();
    if (this.params?.kind === 'choice') {
      void this.offer();
    } else {
      this.inputs[0]?.focus();
    }
  }

  afterGuiDetached(): void {
    if (this.unwait) {
      this.apply();
    }
  }

  destroy(): void {
    this.unwait?.();
  }

  // -- a condition

  private get kind(): Kind {
    return this.params?.kind ?? 'text';
  }

  private fields(): HTMLElement[] {
    const type = INPUTS[this.kind];
    this.ways.append(...WAYS[this.kind].map(({ op, words }) => element('option', '', { value: op }, t(words))));
    this.inputs = ['Value', 'Up to'].map(label => element('input', 'tj-Entry', { type, 'aria-label': label, maxlength: '200', step: '1' }));
    this.inputs.forEach(input => input.addEventListener('input', () => this.typed()));
    this.ways.addEventListener('change', () => {
      this.arrange();
      this.typed();
    });
    this.arrange();
    return [this.ways, ...this.inputs];
  }

  private arrange(): void {
    const count = wayOf(this.kind, this.ways.value)?.count ?? 1;
    this.inputs.forEach((input, at) => show(input, at < count));
  }

  private fill(): void {
    if (this.kind === 'choice') {
      this.chosen = new Set(this.model?.values);
      this.drawOffers();
      return;
    }
    if (this.model) {
      this.ways.value = this.model.op;
    }
    if (!this.unwait) {
      this.inputs.forEach((input, at) => (input.value = this.model?.values[at] ?? ''));
    }
    this.arrange();
  }

  private typed(): void {
    this.unwait?.();
    this.unwait = later(() => this.apply(), TYPED);
  }

  /** What stands in the form; null where it asks for nothing. */
  private get asked(): ColumnFilter | null {
    const { column } = this.params ?? {};
    const isChoice = this.kind === 'choice';
    const values = isChoice ? [...this.chosen] : this.inputs.filter(input => !input.hidden).map(({ value }) => value);
    return filterOf(column?.getColId() ?? '', { op: isChoice ? 'in' : this.ways.value, values });
  }

  private apply(): void {
    this.unwait?.();
    this.unwait = null;
    const { asked } = this;
    if (JSON.stringify(asked) !== JSON.stringify(this.model)) {
      this.model = asked;
      this.params?.filterChangedCallback();
    }
  }

  private clear(): void {
    this.chosen.clear();
    this.inputs.forEach(input => (input.value = ''));
    this.drawOffers();
    this.apply();
  }

  // -- a choice

  private async offer(): Promise<void> {
    this.say(this.choices ? '' : '…');
    try {
      this.choices = (await this.params?.choices?.()) ?? null;
      this.say(this.choices?.isAll === false ? t('Not all are listed: there are too many.') : '');
    } catch (fault) {
      this.say(told(fault));
    }
    this.drawOffers();
    (this.find.hidden ? this.offers.querySelector('input') : this.find)?.focus();
  }

  private drawOffers(): void {
    const counts = new Map(Object.entries(this.choices?.values ?? {}));
    const values = [...new Set([...this.chosen, ...counts.keys()])];
    show(this.find, values.length > FEW);
    const lines = values.map(value => {
      const box = element('input', '', { type: 'checkbox', value });
      box.checked = this.chosen.has(value);
      box.addEventListener('change', () => this.pick(value, box.checked));
      const count = element('span', 'tj-Count', {}, (counts.get(value) ?? 0).toLocaleString());
      return element('label', 'tj-Choice', {}, box, element('span', 'tj-Words', {}, ` ${printable(value)} `), count);
    });
    this.offers.replaceChildren(...lines);
    this.narrow();
  }

  private narrow(): void {
    const wanted = this.find.hidden ? '' : this.find.value.trim().toLowerCase();
    for (const line of this.offers.children) {
      show(line as HTMLElement, (line.textContent ?? '').toLowerCase().includes(wanted));
    }
  }

  private pick(value: string, isChosen: boolean): void {
    if (isChosen) {
      this.chosen.add(value);
    } else {
      this.chosen.delete(value);
    }
    this.apply();
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  private readonly node = element('form', 'tj-ColumnFilter');
  private readonly ways = element('select', 'tj-Entry', { 'aria-label': 'Condition' });
  private readonly find = element('input', 'tj-Entry', { type: 'search', placeholder: 'Find', 'aria-label': 'Find a choice' });
  private readonly offers = element('div', 'tj-Offers', { role: 'group' });
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private inputs: HTMLInputElement[] = [];
  private chosen = new Set<string>();
  private choices: Choices | null = null;
  private model: ColumnFilter | null = null;
  private params: (IFilterParams & FilterSetting) | null = null;
  private hide: (() => void) | undefined;
  private unwait: (() => void) | null = null;
}
