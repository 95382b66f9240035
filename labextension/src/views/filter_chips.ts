/** The filters of columns as they hold: one chip each, which takes its filter away. */

import { FILTERED, wayOf, type ColumnFilter, type ColumnFilters } from '../core/column_filters.js';
import { t } from '../core/language.js';
import { element, show } from '../dom.js';
import { printable } from '../words.js';

export class FilterChips {
  readonly node = element('div', 'tj-FilterChips', { role: 'group', 'aria-label': 'Filters of columns', hidden: true });

  /** `title` names a column. */
  constructor(
    private readonly title: (column: string) => string,
    private readonly remove: (column: string) => void
  ) {}

  draw(filters: ColumnFilters): void {
    const chips = Object.entries(filters).map(([column, filter]) => this.chip(column, filter));
    this.node.replaceChildren(...chips);
    show(this.node, chips.length > 0);
  }

  private chip(column: string, filter: ColumnFilter): HTMLElement {
    const words = filterWords(column, this.title(column), filter);
    const node = element('button', 'tj-Chip tj-FilterChip', { type: 'button' });
    const title = t('Take the filter away: {filter}', { filter: words });
    node.title = title;
    node.setAttribute('aria-label', title);
    node.append(element('span', 'tj-Words', {}, words), element('span', '', { 'aria-hidden': 'true' }, '✕'));
    node.addEventListener('click', () => this.remove(column));
    return node;
  }
}

/** A filter as a person reads it: `State is FAILED or CANCELLED`, `Nodes is between 2 and 8`. */
export function filterWords(column: string, title: string, { op, values }: ColumnFilter): string {
  const kind = FILTERED[column] ?? 'text';
  const way = wayOf(kind, op);
  const shown = values.map(value => printable(kind === 'date' ? new Date(`${value}T00:00:00`).toLocaleDateString() : value));
  const value = way?.count === 2 ? t('{low} and {high}', { low: shown[0] ?? '', high: shown[1] ?? '' }) : shown.join(t(' or '));
  return `${title} ${t(way?.words ?? '')} ${value}`;
}
