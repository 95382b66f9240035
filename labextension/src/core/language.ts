/** The words of the views in the language of the page; English where the page brings no other. */

/** What a page translates with: Lab's bundle of a domain has this form. */
export interface Language {
  gettext(words: string): string;
  ngettext(one: string, many: string, count: number): string;
}

export type Values = Readonly<Record<string, string | number>>;

const ENGLISH: Language = { gettext: words => words, ngettext: (one, many, count) => (count === 1 ? one : many) };

/** Where a page keeps its language: the panel of a cell has a copy of this code, and nobody else to ask. */
const OF_PAGE = Symbol.for('jupyter-tapis-jobs: language');
const page = globalThis as { [OF_PAGE]?: Language };

/** From now on words are told by `by`, in all of the page. */
export function speak(by: Language | null): void {
  page[OF_PAGE] = by ?? ENGLISH;
}

function language(): Language {
  return page[OF_PAGE] ?? ENGLISH;
}

/** `words` in the page's language; `{name}` in them takes the value of that name. */
export function t(words: string, values: Values = {}): string {
  return filled(language().gettext(words), values);
}

/** As `t`, for a number of things: `{count}` is written as a person of this language writes numbers. */
export function tn(one: string, many: string, count: number, values: Values = {}): string {
  return filled(language().ngettext(one, many, count), { count: count.toLocaleString(), ...values });
}

function filled(words: string, values: Values): string {
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}
