/** A list in a form that grows: more arguments, variables, inputs. */

import { t } from '../core/language.js';
import type { FieldRules, Values } from '../core/rules.js';
import { button, element } from '../dom.js';
import { list, record } from '../job.js';
import { printable } from '../words.js';
import { Field, type Pick } from './field.js';

/** What the columns of the server's lists are called. */
function wordsOf(column: string): string {
  const words: Readonly<Record<string, string>> = { key: t('Name'), value: t('Value'), sourceUrl: t('Source'), targetPath: t('Goes to') };
  return words[column] ?? (column || t('Argument'));
}

/** The column of a list of plain texts. */
const PLAIN = '';

interface Row {
  node: HTMLElement;
  fields: Map<string, Field>;
}

export class Rows {
  readonly node: HTMLElement;

  constructor(
    private readonly name: string,
    private readonly rules: FieldRules,
    given: unknown,
    private readonly changed: () => void,
    private readonly pick?: Pick
  ) {
    const title = printable(t(rules.title ?? name));
    const add = button('+ Add', t('Add to: {list}', { list: title }), () => {
      this.add(null);
      this.rows.at(-1)?.fields.values().next().value?.focus();
    });
    this.node = element('fieldset', 'tj-FormSection', {}, element('legend', '', {}, title), this.place, add);
    list(given).forEach(item => this.add(item));
  }

  /** Those of rows that hold anything: an empty row is none. */
  get fields(): Iterable<Field> {
    return this.rows.filter(row => valueOf(row) !== undefined).flatMap(row => [...row.fields.values()]);
  }

  /** The rows that hold anything; undefined when none does. */
  get value(): unknown[] | undefined {
    const found = this.rows.map(row => valueOf(row)).filter(value => value !== undefined);
    return found.length ? found : undefined;
  }

  private add(given: unknown): void {
    const items = this.rules.items ?? {};
    const columns = Object.entries(items.properties ?? { [PLAIN]: items });
    const { changed, pick } = this;
    const fields = new Map(
      columns.map(([column, rules]) => {
        const value = column === PLAIN ? given : record(given)[column];
        const isNeeded = items.required?.includes(column) === true;
        return [column, new Field({ name: wordsOf(column), rules, value, isNeeded, changed, ...(pick && { pick }) })];
      })
    );
    const drop = button('✕', 'Take this away', () => this.drop(row));
    drop.setAttribute('aria-label', t('Take away from: {list}', { list: printable(this.rules.title ?? this.name) }));
    const row = { fields, node: element('div', 'tj-FormRow', {}, ...[...fields.values()].map(field => field.node), drop) };
    this.rows.push(row);
    this.place.append(row.node);
  }

  private drop(row: Row): void {
    this.rows.splice(this.rows.indexOf(row), 1);
    row.node.remove();
    this.changed();
  }

  private readonly place = element('div', 'tj-FormRows');
  private readonly rows: Row[] = [];
}

function valueOf({ fields }: Row): unknown {
  if (fields.has(PLAIN)) {
    return fields.get(PLAIN)?.value || undefined;
  }
  const found: Values = {};
  for (const [column, { value }] of fields) {
    if (value !== undefined && value !== '') {
      found[column] = value;
    }
  }
  return Object.keys(found).length ? found : undefined;
}
