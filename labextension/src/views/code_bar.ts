/** A request as code: a `%%tapisjob` cell, a call in Python, or JSON, to be copied or put into a cell. */

import { told } from '../core/client.js';
import type { JobCode } from '../core/api.js';
import { t } from '../core/language.js';
import { button, element, write } from '../dom.js';
import { record } from '../job.js';
import { printable } from '../words.js';
import type { Site } from './site.js';
import { COPIED, copyText } from './texts.js';

const FORMS: readonly (readonly [keyof JobCode, string, string])[] = [
  ['cell', 'cell', 'Copy a %%tapisjob cell that submits the same'],
  ['python', 'Python', 'Copy a call of tapis.submit'],
  ['json', 'JSON', 'Copy the request as it is']
];

export class CodeBar {
  readonly node = element('div', 'tj-Bar', { role: 'toolbar', 'aria-label': 'The request as code' });

  constructor(
    private readonly site: Site,
    /** The request, or what makes it when it is asked for. */
    private readonly request: unknown
  ) {
    this.node.append(t('Copy as:'));
    for (const [form, label, title] of FORMS) {
      this.node.append(button(label, title, () => void this.take(form, text => this.copy(text))));
    }
    if (site.insertCode) {
      this.node.append(button('Open in a cell', 'Put a cell that submits the same into the notebook', () => void this.take('cell', text => this.insert(text))));
    }
    this.node.append(this.note);
  }

  private async take(form: keyof JobCode, deed: (text: string) => Promise<void>): Promise<void> {
    try {
      const { request } = this;
      const body = { request: record(typeof request === 'function' ? await request() : request) };
      const { result } = await this.site.client.call('POST /v3/tapisjobs/code', { body });
      const text = result[form];
      if (text === null) {
        this.say(t('No cell can say the same; take the call in Python.'));
      } else {
        await deed(text);
      }
    } catch (fault) {
      this.say(told(fault));
    }
  }

  private async copy(text: string): Promise<void> {
    await copyText(text, words => this.say(words === COPIED ? t(COPIED) : text));
  }

  private async insert(text: string): Promise<void> {
    await this.site.insertCode?.(text);
    this.say(t('The code is in a cell.'));
  }

  private say(words: string): void {
    write(this.note, printable(words));
  }

  private readonly note = element('span', 'tj-Note', { role: 'status' });
}
