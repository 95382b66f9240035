/** Which columns are seen, sets of them under names, and whether hidden jobs are listed. */

import type { ColumnSets, Layout } from '../core/column_sets.js';
import { button, element, show } from '../dom.js';
import { printable } from '../words.js';

/** A column that can be shown or not. */
export interface Offer {
  colId: string;
  title: string;
  isShown: boolean;
}

export interface ColumnMenuHost {
  offers(): Offer[];
  setShown(colId: string, isShown: boolean): void;
  layout(): Layout;
  /** Lay the grid out so; an empty one is as it was at first. */
  lay(layout: Layout): void;
  hiddenToo(isHiddenToo: boolean): void;
}

export class ColumnMenu {
  readonly node = element('div', 'tj-ColumnMenu', { role: 'dialog', 'aria-label': 'Columns', hidden: true });
  readonly opener = button('Columns', 'Choose columns, and keep sets of them', () => this.toggle());

  constructor(
    private readonly host: ColumnMenuHost,
    private readonly sets: ColumnSets
  ) {
    this.opener.setAttribute('aria-expanded', 'false');
    const hidden = element('input', '', { type: 'checkbox' });
    hidden.addEventListener('change', () => host.hiddenToo(hidden.checked));
    const save = element('form', 'tj-SaveSet', {}, this.name, element('button', 'tj-Button', { type: 'submit' }, 'Save'));
    save.addEventListener('submit', event => {
      event.preventDefault();
      this.save();
    });
    this.node.append(
      this.choices,
      element('div', 'tj-Sets', {}, this.kept, save, button('As at first', 'The columns as they were at first', () => this.lay([]))),
      element('div', '', {}, element('label', 'tj-Choice', {}, hidden, ' hidden jobs, too'), ' ', button('Close', 'Close', () => this.toggle()))
    );
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        this.toggle();
      }
    });
  }

  /** The columns have changed. */
  draw(): void {
    if (this.node.hidden) {
      return;
    }
    const boxes = this.host.offers().map(({ colId, title, isShown }) => {
      const box = element('input', '', { type: 'checkbox' });
      box.checked = isShown;
      box.addEventListener('change', () => this.host.setShown(colId, box.checked));
      return element('label', 'tj-Choice', {}, box, ` ${title}`);
    });
    this.choices.replaceChildren(...boxes);
    const sets = this.sets.names.map(name => {
      const drop = button('✕', `Forget the set ${printable(name)}`, () => this.remove(name));
      drop.setAttribute('aria-label', `Forget the set ${printable(name)}`);
      return element('span', 'tj-Set', {}, button(printable(name), 'Lay the columns out so', () => this.lay(this.sets.take(name))), drop);
    });
    this.kept.replaceChildren(...sets);
  }

  private toggle(): void {
    show(this.node, this.node.hidden);
    this.opener.setAttribute('aria-expanded', String(!this.node.hidden));
    this.draw();
    if (this.node.hidden) {
      this.opener.focus();
    } else {
      this.choices.querySelector('input')?.focus();
    }
  }

  private lay(layout: Layout): void {
    this.host.lay(layout);
    this.draw();
  }

  private save(): void {
    const isKept = this.sets.save(this.name.value, this.host.layout());
    this.name.setCustomValidity(isKept || !this.name.value.trim() ? '' : 'There is no room for another set in this browser.');
    if (isKept) {
      this.name.value = '';
    } else {
      this.name.reportValidity();
    }
    this.draw();
  }

  private remove(name: string): void {
    this.sets.remove(name);
    this.draw();
    this.name.focus();
  }

  private readonly choices = element('div', 'tj-Choices', { role: 'group', 'aria-label': 'Columns that are seen' });
  private readonly kept = element('span', 'tj-Kept');
  private readonly name = element('input', 'tj-Entry', {
    type: 'text', placeholder: 'Name of this set', 'aria-label': 'Name of this set of columns', maxlength: '60', required: true
  });
}
