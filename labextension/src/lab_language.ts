/** Lab's translator, which the views speak with. */

import type { ITranslator } from '@jupyterlab/translation';

import { speak } from './core/language.js';

/** The name of our words among those of a language pack. */
const DOMAIN = 'jupyter_tapis_jobs';

export function useLanguage(translator: ITranslator | null): void {
  const bundle = translator?.load(DOMAIN);
  // Lab's translator takes a percent sign for a place to be filled; such words stay as they are.
  const isPlain = (words: string): boolean => words !== '' && !words.includes('%');
  speak(
    bundle
      ? {
          gettext: words => (isPlain(words) ? bundle.gettext(words) : words),
          ngettext: (one, many, count) => bundle.ngettext(one, many, count)
        }
      : null
  );
}
