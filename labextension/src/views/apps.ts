/** The apps that a person may use: a catalogue that is searched while typing. */

import { Catalog, found, type AppInfo } from '../core/catalog.js';
import type { Client } from '../core/client.js';
import { called } from '../core/forms.js';
import { t } from '../core/language.js';
import { later, type Later } from '../core/painter.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';
import { AppImport } from './app_import.js';
import { Looker } from './looker.js';

/** Milliseconds between two looks at the catalogue, which no event tells of. */
const PAUSE = 60_000;
/** Apps that are drawn; with more the search finds the others. */
const MOST = 200;

export interface AppsHost {
  /** Show the form that submits a job of this app; without it there is no button. */
  submit?(appId: string, appVersion: string): void;
}

export class AppsView {
  readonly node = element('div', 'tj-Jobs tj-Apps', { role: 'region', 'aria-label': 'Apps' });

  constructor(
    client: Client,
    private readonly host: AppsHost = {},
    wait: Later = later
  ) {
    const catalog = new Catalog(client);
    this.looker = new Looker(async () => this.put(await catalog.apps()), PAUSE, wait);
    this.entry.addEventListener('input', () => this.draw());
    const form = new AppImport(client, () => this.looker.now());
    const open = button('Import…', 'Take definitions of apps to the server', () => form.open());
    this.node.append(element('div', 'tj-Bar', {}, this.entry, open, this.number), form.node, this.looker.node, this.empty, this.list);
    show(this.empty, false);
    this.show(true);
  }

  /** The page shows or hides the view; a hidden one causes no traffic. */
  show(isShown: boolean): void {
    this.looker.show(isShown);
  }

  dispose(): void {
    this.looker.show(false);
  }

  private put(apps: readonly AppInfo[]): void {
    const isNew = JSON.stringify(apps) !== JSON.stringify(this.apps);
    this.apps = apps;
    if (isNew || !apps.length) {
      this.draw();
    }
  }

  private draw(): void {
    const shown = found(this.apps, this.entry.value);
    const rest = shown.length - MOST;
    const more = rest > 0 ? [element('li', 'tj-App', {}, t('and {count} more: search for them', { count: rest.toLocaleString() }))] : [];
    this.list.replaceChildren(...shown.slice(0, MOST).map(app => this.line(app)), ...more);
    write(this.number, t('{shown} of {count} apps', { shown: shown.length.toLocaleString(), count: this.apps.length.toLocaleString() }));
    write(this.empty, this.apps.length ? t('No app is like this.') : t('No apps yet. Import the definition of one.'));
    show(this.empty, shown.length === 0);
  }

  private line(app: AppInfo): HTMLElement {
    const { id, version, description, category, runtime, owner, isEnabled, tags } = app;
    const badge = element('span', 'tj-Tone tj-State', {}, isEnabled ? `✓ ${t('enabled')}` : `⊘ ${t('disabled')}`);
    badge.dataset['tone'] = isEnabled ? 'finished' : 'cancelled';
    const head = element('div', 'tj-Bar', {}, element('h3', 'tj-Title', {}, printable(called(app))), badge);
    if (this.host.submit && isEnabled) {
      head.append(button('Submit…', t('Fill in the form of {app}', { app: printable(id) }), () => this.host.submit?.(id, version)));
    }
    const about = [description, category, runtime, owner && t('by {owner}', { owner }), tags.join(', ')].filter(Boolean).join(' · ');
    return element('li', 'tj-App', {}, head, element('p', 'tj-StudyWords', {}, printable(about)));
  }

  private readonly entry = element('input', 'tj-Search', {
    type: 'search', placeholder: 'Search name, description, tag', 'aria-label': 'Search apps', spellcheck: 'false'
  });
  private readonly number = element('span', 'tj-Total', { role: 'status' });
  private readonly empty = element('p', 'tj-Empty');
  private readonly list = element('ul', 'tj-Groups tj-AppList', { 'aria-label': 'Apps' });
  private readonly looker: Looker;
  private apps: readonly AppInfo[] = [];
}
