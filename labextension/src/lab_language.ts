/** Lab's translator, which the views speak with. */

import type { ITranslator } from '@jupyterlab/translation';

import { speak } from './core/language.js';

/** The name of our words among those of a language pack. */
export const DOMAIN = 'jupyter_tapis_jobs';

export function useLanguage(translator: ITranslator | null): void {
  speak(translator?.load(DOMAIN) ?? null);
}
