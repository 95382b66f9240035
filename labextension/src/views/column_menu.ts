/** Which columns are seen, sets of them under names, and whether hidden jobs are listed. */

import type { ColumnSets, Layout } from '../core/column_sets.js';
import { t } from '../core/language.js';
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
  sharedToo(isSharedToo: boolean): void;
}

export class ColumnMenu {
  readonly node = element('div', 'tj-ColumnMenu', { role: 'dialog', 'aria-label': 'Columns', hidden: true });
  readonly opener = button('Columns', 'Choose columns, and keep sets of them', () => this.toggle());

  constructor(
    private readonly host: ColumnMenuHost,
    private readonly sets: ColumnSets
  ) {
    this.opener.setAttribute('aria-expanded', 'false');
    const more = element('div', 'tj-Choices', {},
      choice(t('hidden jobs, too'), isTicked => host.hiddenToo(isTicked)),
      choice(t('jobs that others share with me, too'), isTicked => host.sharedToo(isTicked)),
      button('Close', 'Close', () => this.toggle())
    );
    const save = element('form', 'tj-SaveSet', {}, this.name, element('button', 'tj-Button', { type: 'submit' }, t('Save')));
    save.addEventListener('submit', event => {
      event.preventDefault();
      this.save();
    });
    this.node.append(
      this.choices,
      element('div', 'tj-Sets', {}, this.kept, save, button('As at first', 'The columns as they were at first', () => this.lay([]))),
      more
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
    const boxes = this.host.offers().map(({ colId, title, isShown }) =>
      choice(title, isTicked => this.host.setShown(colId, isTicked), isShown)
    );
    this.choices.replaceChildren(...boxes);
    const sets = this.sets.names.map(name => {
      const forget = t('Forget the set {name}', { name: printable(name) });
      const drop = button('✕', forget, () => this.remove(name));
      drop.setAttribute('aria-label', forget);
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
    this.name.setCustomValidity(isKept || !this.name.value.trim() ? '' : t('There is no room for another set in this browser.'));
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

function choice(words: string, tick: (isTicked: boolean) => void, isTicked = false): HTMLElement {
  const box = element('input', '', { type: 'checkbox' });
  box.checked = isTicked;
  box.addEventListener('change', () => tick(box.checked));
  return element('label', 'tj-Choice', {}, box, ` ${words}`);
}
