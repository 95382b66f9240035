/** Adds cases to a study, by values of each parameter or by rows of a table: the code that runs them is shown. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { combinations, extension, UnfitValuesError, valuesIn, type Values } from '../core/study_extend.js';
import type { CaseState } from '../core/studies.js';
import { rowsCode, rowsIn } from '../core/study_rows.js';
import { button, element, show, write } from '../dom.js';
import { text } from '../job.js';
import { printable } from '../words.js';
import type { Site } from './site.js';
import { caseWords } from './study_list.js';
import { TextView } from './texts.js';

export class StudyExtend {
  readonly node = element('details', 'tj-Folded tj-Extend');

  constructor(private readonly site: Site) {
    this.node.append(element('summary', '', {}, t('Extend…')), this.why, this.help, this.fields, this.table(), this.fault, this.code, this.insert, this.note);
    [this.insert, this.fault, this.note].forEach(node => show(node, false));
  }

  /** Ask for values of the parameters that this study has. */
  update(name: string, cases: readonly CaseState[]): void {
    // The same number of cases are the same cases: what changes are their states.
    if (name === this.name && cases.length === this.number) {
      return;
    }
    this.number = cases.length;
    const columns = [...new Set(cases.flatMap(({ parameters }) => Object.keys(parameters)))];
    const key = JSON.stringify([name, columns]);
    this.name = name;
    if (key === this.drawn) {
      return;
    }
    this.drawn = key;
    this.needed = columns.filter(column => cases.every(({ parameters }) => column in parameters));
    this.rows.placeholder = `${columns.join(',')}\n…`;
    this.entries = new Map(columns.map(column => [column, this.entry(column, cases)]));
    this.fields.replaceChildren(...[...this.entries].map(([column, entry]) => element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, printable(column)), entry)));
    show(this.node, columns.length > 0);
    this.draw();
  }

  private entry(column: string, cases: readonly CaseState[]): HTMLInputElement {
    const last = text(cases.at(-1)?.parameters[column]);
    const entry = element('input', 'tj-Input', { spellcheck: 'false', autocomplete: 'off', placeholder: t('the last one is {value}', { value: printable(last).slice(0, 40) }) });
    entry.addEventListener('input', () => this.draw());
    return entry;
  }

  private draw(): void {
    this.told = '';
    let fault = '';
    try {
      const [number, code] = this.rows.value.trim() ? this.typedRows() : this.typedValues();
      this.told = number ? code : '';
      const title = t('The code that runs {cases}', { cases: caseWords(number) });
      this.code.replaceChildren(...(number ? [new TextView(title, this.told).node] : []));
    } catch (wrong) {
      if (!(wrong instanceof UnfitValuesError)) {
        throw wrong;
      }
      fault = wrong.message;
      this.code.replaceChildren();
    }
    write(this.fault, fault);
    show(this.fault, fault !== '');
    show(this.insert, this.told !== '' && this.site.insertCode !== undefined);
    show(this.note, false);
  }

  /** How many cases the values make, and the code that runs them. */
  private typedValues(): [number, string] {
    const columns: Values[] = [...this.entries].map(([name, { value }]) => ({ name, words: valuesIn(value) }));
    return [combinations(columns), extension(this.name, columns)];
  }

  private typedRows(): [number, string] {
    const found = rowsIn(this.rows.value, [...this.entries.keys()], this.needed);
    return [found.rows.length, rowsCode(this.name, found)];
  }

  private table(): HTMLElement {
    this.rows.addEventListener('input', () => this.draw());
    const words = t('Or a table: rows of CSV, or pasted from a spreadsheet, the first row names the parameters');
    return element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, words), this.rows);
  }

  private async put(): Promise<void> {
    try {
      await this.site.insertCode?.(this.told);
      write(this.note, t('It is in a cell now: run the cell.'));
    } catch (fault) {
      write(this.note, printable(told(fault)));
    }
    show(this.note, true);
  }

  private readonly help = element('p', 'tj-FormHelp', {}, t('Values of each parameter with commas between them; 10..20 is all whole numbers from 10 to 20. Cases that are there already are not run again.'))
  private readonly why = element('p', 'tj-FormHelp', {}, t('The request of a case is made by Python from the template of the study, so cases are added by a cell of a notebook; it is written here.'));
  private readonly fields = element('div', 'tj-FormRow');
  private readonly fault = element('p', 'tj-Fault', { role: 'status' });
  private readonly code = element('div', 'tj-Code');
  private readonly insert = button('Put it into a cell', 'Add the code to the notebook in front', () => void this.put());
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private entries: ReadonlyMap<string, HTMLInputElement> = new Map();
  private readonly rows = element('textarea', 'tj-Input tj-mod-code', { rows: '4', spellcheck: 'false' });
  private needed: readonly string[] = [];
  private name = '';
  private number = -1;
  private told = '';
  private drawn = '';
}
