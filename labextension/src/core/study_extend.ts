/** More cases of a study as the code that runs them: every combination of the values that were typed. */

import { t } from './language.js';

/** A column and its values, as Python has them. */
export interface Values {
  readonly name: string;
  readonly words: readonly string[];
}

export class UnfitValuesError extends Error {}

/** Values of one range, and cases of one extension. */
const MOST = 100_000;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const RANGE = /^([+-]?\d{1,9})\s*\.\.\s*([+-]?\d{1,9})$/;
const TRUTHS: Readonly<Record<string, string>> = { true: 'True', false: 'False' };

/** The values in `told`: `1, 2.5, clay`, and `10..20` for all whole numbers from 10 to 20. */
export function valuesIn(told: string): string[] {
  return told.split(',').map(word => word.trim()).filter(Boolean).flatMap(word => {
    const found = RANGE.exec(word);
    return found ? range(Number(found[1]), Number(found[2])) : [python(word)];
  });
}

function range(from: number, to: number): string[] {
  if (to < from || to - from >= MOST) {
    throw new UnfitValuesError(t('{from}..{to} must go up, by less than {count} steps.', { from, to, count: MOST.toLocaleString() }));
  }
  return Array.from({ length: to - from + 1 }, (_, place) => String(from + place));
}

/** A word as a value of Python: a number, a truth, or text. */
export function python(word: string): string {
  if (NUMBER.test(word)) {
    // Python takes no number with a zero in front.
    return word.replace(/^([+-]?)0+(?=\d)/, '$1');
  }
  return TRUTHS[word.toLowerCase()] ?? JSON.stringify(word);
}

/** How many cases the combinations are. */
export function combinations(columns: readonly Values[]): number {
  return columns.length ? columns.reduce((product, { words }) => product * words.length, 1) : 0;
}

/** The lines of Python that add the combinations to a study and run what is new. */
export function extension(study: string, columns: readonly Values[]): string {
  const given = columns.map(({ name, words }) => `    ${JSON.stringify(name)}: [${words.join(', ')}],\n`).join('');
  return `import jupyter_tapis_jobs as tj\n\nstudy = tj.connect().study(${JSON.stringify(study)})\nstudy.extend(tj.grid(**{\n${given}})).run()\n`;
}
