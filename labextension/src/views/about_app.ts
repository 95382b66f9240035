/** What a definition says of its app, at the head of the form: name, what it is for, and what one has to know. */

import type { AppForm } from '../core/api.js';
import { called } from '../core/forms.js';
import { t } from '../core/language.js';
import { element } from '../dom.js';
import { text } from '../job.js';
import { printable } from '../words.js';

/** An icon that is a picture by itself; a name out of a portal's own set of icons has no picture here. */
const PICTURE = /^\p{Extended_Pictographic}[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f]{0,9}$/u;

export class AboutApp {
  readonly node = element('div', 'tj-AboutApp');

  /** Show what `form` is of; `more` is told behind its description. */
  draw({ appId, appVersion, about }: AppForm, more = ''): void {
    const label = text(about['label']);
    const icon = text(about['icon']);
    const title = element('h3', 'tj-Title', {}, printable(called({ id: appId, version: appVersion, label })));
    if (PICTURE.test(icon)) {
      title.prepend(element('span', '', { 'aria-hidden': 'true' }, `${icon} `));
    }
    const words = element('p', 'tj-FormHelp', {}, printable([text(about['description']), more].filter(Boolean).join(' ')));
    const help = text(about['helpUrl']);
    if (/^(https?:\/)?\//.test(help)) {
      words.append(' ', element('a', 'tj-Link', { href: help, target: '_blank', rel: 'noopener noreferrer' }, t('Help')));
    }
    this.node.replaceChildren(title, words);
    const known = facts(about, label || appId);
    if (known.length) {
      this.node.append(element('p', 'tj-FormHelp', {}, printable(known.join(' · '))));
    }
  }
}

/** What else the app's notes tell of it. */
function facts(about: AppForm['about'], label: string): string[] {
  const short = text(about['shortLabel']);
  const license = text(about['licenseType']);
  return [
    short === label ? '' : short,
    text(about['category']),
    about['isInteractive'] === true ? t('interactive: one works in it while it runs') : '',
    license && t('license: {license}', { license })
  ].filter(Boolean);
}
