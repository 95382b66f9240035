/** Takes definitions of apps to the server, from files or as text, and tells what became of each. */

import { definitionsIn, NoDefinitionError, taken, type Definition, type Outcome } from '../core/app_import.js';
import type { Client } from '../core/client.js';
import { t } from '../core/language.js';
import { button, element, show } from '../dom.js';
import { printable } from '../words.js';

/** State -> glyph and tone; the word stands beside them. */
const STATES: Readonly<Record<Outcome['state'], readonly [string, string]>> = {
  created: ['✓', 'finished'],
  replaced: ['✓', 'finished'],
  exists: ['⚠', 'blocked'],
  refused: ['✗', 'failed']
};

export class AppImport {
  readonly node = element('form', 'tj-Import', { 'aria-label': 'Import apps', hidden: true });

  /** `changed` is called when the catalogue is otherwise. */
  constructor(
    private readonly client: Client,
    private readonly changed: () => void
  ) {
    const close = button('Close', 'Put this away', () => show(this.node, false));
    const files = element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, t('Files')), this.files);
    const words = element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, t('Or their YAML or JSON')), this.entry);
    this.node.append(element('h3', 'tj-Title', {}, t('Import apps')), files, words, element('div', 'tj-Bar', {}, this.send, close), this.outcomes);
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      void this.take();
    });
  }

  open(): void {
    show(this.node, true);
    this.files.focus();
  }

  private async take(): Promise<void> {
    if (this.send.disabled) {
      return;
    }
    this.send.disabled = true;
    this.outcomes.replaceChildren();
    const texts = await Promise.all([...(this.files.files ?? [])].map(async file => [file.name, await file.text()] as const));
    if (this.entry.value.trim() || !texts.length) {
      texts.push([t('The text'), this.entry.value]);
    }
    for (const [place, told] of texts) {
      await this.takeText(place, told);
    }
    this.files.value = '';
    this.send.disabled = false;
    this.changed();
  }

  private async takeText(place: string, told: string): Promise<void> {
    try {
      for (const definition of await definitionsIn(this.client, told)) {
        this.tell(await taken(this.client, definition), definition);
      }
    } catch (fault) {
      if (!(fault instanceof NoDefinitionError)) {
        throw fault;
      }
      this.tell({ title: place, state: 'refused', message: fault.message, warnings: [] });
    }
  }

  private tell(outcome: Outcome, definition?: Definition, before?: HTMLElement): void {
    const { title, state, message, warnings } = outcome;
    const [glyph, tone] = STATES[state];
    const badge = element('span', 'tj-Tone tj-State', {}, `${glyph} ${stateWord(state)}`);
    badge.dataset['tone'] = tone;
    const words = [message, ...warnings.map(each => `⚠ ${each}`)].filter(Boolean).join(' ');
    const line = element('li', 'tj-Group', {}, badge, ' ', element('strong', '', {}, printable(title)), ` ${printable(words)} `);
    if (state === 'exists' && definition) {
      line.append(button('Replace it', t('Put this in the place of {name}', { name: printable(title) }), () => void this.replace(definition, line)));
    }
    if (before) {
      before.replaceWith(line);
    } else {
      this.outcomes.append(line);
    }
  }

  private async replace(definition: Definition, line: HTMLElement): Promise<void> {
    this.tell(await taken(this.client, definition, true), definition, line);
    this.changed();
  }

  private readonly files = element('input', 'tj-Input', { type: 'file', accept: '.json,.yaml,.yml,application/json,application/yaml', multiple: true });
  private readonly entry = element('textarea', 'tj-Input tj-mod-code', { rows: '5', spellcheck: 'false', placeholder: 'id: my-app\nversion: "1.0"\ncontainerImage: …' });
  private readonly send = element('button', 'tj-Button tj-mod-main', { type: 'submit' }, t('Import'));
  private readonly outcomes = element('ul', 'tj-Groups', { role: 'status', 'aria-label': 'What became of them' });
}

function stateWord(state: Outcome['state']): string {
  return { created: t('created'), replaced: t('replaced'), exists: t('exists'), refused: t('refused') }[state];
}
