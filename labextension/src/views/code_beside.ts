/** The code that the form stands for, beside it while one fills it in: a cell, a call in Python, or JSON. */

import type { JobCode } from '../core/api.js';
import type { Client } from '../core/client.js';
import { told } from '../core/client.js';
import { t } from '../core/language.js';
import type { Values } from '../core/rules.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';
import { later, type Later } from './site.js';

const FORMS: readonly (readonly [keyof JobCode, string])[] = [['cell', 'Cell'], ['python', 'Python'], ['json', 'JSON']];
/** Until somebody has stopped typing. */
const PAUSE_MS = 300;

export class CodeBeside {
  readonly node = element('details', 'tj-Folded tj-Beside', {}, element('summary', '', {}, t('The code of this form')));

  constructor(
    private readonly client: Client,
    /** The request that stands in the form now. */
    private readonly request: () => Promise<Values>,
    /** Nothing that is needed is missing there. */
    private readonly isFilled: () => boolean,
    private readonly after: Later = later
  ) {
    this.buttons = FORMS.map(([form, label]) => button(label, t('Show the {form}', { form: t(label) }), () => this.choose(form)));
    const bar = element('div', 'tj-Bar', { role: 'group', 'aria-label': 'Kind of code' }, ...this.buttons);
    this.node.append(bar, this.code, this.note);
    this.node.addEventListener('toggle', () => this.changed());
    this.choose('cell');
  }

  /** Something in the form is another; the code follows while it is seen. */
  changed(): void {
    this.stop?.();
    this.stop = this.node.open ? this.after(() => void this.ask(), PAUSE_MS) : null;
  }

  dispose(): void {
    this.stop?.();
    this.turn += 1;
  }

  private choose(form: keyof JobCode): void {
    this.form = form;
    this.buttons.forEach((node, at) => node.setAttribute('aria-pressed', String(FORMS[at]?.[0] === form)));
    this.draw();
  }

  private async ask(): Promise<void> {
    const turn = (this.turn += 1);
    let found: JobCode | null = null;
    let words = '';
    try {
      const body = { request: await this.request() };
      found = (await this.client.call('POST /v3/tapisjobs/code', { body })).result;
    } catch (fault) {
      words = told(fault);
    }
    if (turn === this.turn) {
      this.found = found;
      this.draw(words);
    }
  }

  private draw(trouble = ''): void {
    const code = this.found?.[this.form] ?? '';
    write(this.code, code);
    show(this.code, code !== '');
    const unsaid = this.isFilled() ? t('No cell can say the same; take the call in Python.') : t('Fill in what is marked * to see it.');
    write(this.note, printable(trouble || (this.found !== null && code === '' ? unsaid : '')));
  }

  private readonly code = element('pre', 'tj-Text', { role: 'region', tabindex: '0', 'aria-label': 'Code of this form' });
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private readonly buttons: HTMLButtonElement[];
  private form: keyof JobCode = 'cell';
  private found: JobCode | null = null;
  private stop: (() => void) | null = null;
  private turn = 0;
}
