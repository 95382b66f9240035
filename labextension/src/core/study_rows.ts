/** More cases of a study as rows of a table that were typed or pasted: CSV, or columns of a spreadsheet. */

import { t, tn } from './language.js';
import { python, UnfitValuesError } from './study_extend.js';

/** Rows that are put into code; a longer table is better read by the cell. */
const MOST = 2000;

export interface CaseRows {
  readonly columns: readonly string[];
  /** A row for each case, its values as Python has them. */
  readonly rows: readonly (readonly string[])[];
}

/** The cases in `told`, whose first row names parameters: those of `known`; those of `needed` must be there. */
export function rowsIn(told: string, known: readonly string[], needed: readonly string[]): CaseRows {
  const [head = [], ...rows] = cells(told).filter(row => row.some(cell => cell.trim()));
  const columns = head.map(name => name.trim());
  refuse(columns.find(name => !known.includes(name)), name => t('There is no parameter {name}; the first row names parameters of the study: {known}.', { name: name || '""', known: known.join(', ') }));
  refuse(columns.find((name, place) => columns.indexOf(name) !== place), name => t('Parameter {name} is there twice.', { name }));
  refuse(needed.find(name => !columns.includes(name)), name => t('Parameter {name} is missing in the first row.', { name }));
  const odd = rows.findIndex(row => row.length !== columns.length || row.some(cell => !cell.trim()));
  if (odd >= 0) {
    throw new UnfitValuesError(t('Row {row} must have a value for each of: {columns}.', { row: odd + 2, columns: columns.join(', ') }));
  }
  if (rows.length > MOST) {
    const words = tn('{count} row is too much for a cell', '{count} rows are too many for a cell', rows.length);
    throw new UnfitValuesError(`${words}: study.extend(pandas.read_csv("cases.csv")).`);
  }
  return { columns, rows: rows.map(row => row.map(cell => python(cell.trim()))) };
}

/** The lines of Python that add the rows to a study and run what is new. */
export function rowsCode(study: string, { columns, rows }: CaseRows): string {
  const given = rows.map(row => `    {${columns.map((name, place) => `${JSON.stringify(name)}: ${row[place] ?? ''}`).join(', ')}},\n`);
  return `import jupyter_tapis_jobs as tj\n\nstudy = tj.connect().study(${JSON.stringify(study)})\nstudy.extend([\n${given.join('')}]).run()\n`;
}

function refuse(wrong: string | undefined, words: (name: string) => string): void {
  if (wrong !== undefined) {
    throw new UnfitValuesError(words(wrong));
  }
}

/** The cells of each line; the first line tells whether tabs, semicolons or commas are between them. */
function cells(told: string): string[][] {
  const [first = ''] = told.split('\n', 1);
  const mark = ['\t', ';'].find(each => first.includes(each)) ?? ',';
  const found: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  const text = told.replace(/\r\n?/g, '\n');
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (isQuoted) {
      if (sign !== '"') {
        cell += sign;
      } else if (text[at + 1] === '"') {
        cell += sign;
        at += 1;
      } else {
        isQuoted = false;
      }
    } else if (sign === '"' && !cell.trim()) {
      isQuoted = true;
      cell = '';
    } else if (sign === mark || sign === '\n') {
      found.at(-1)?.push(cell);
      cell = '';
      if (sign === '\n') {
        found.push([]);
      }
    } else {
      cell += sign;
    }
  }
  found.at(-1)?.push(cell);
  return found;
}
