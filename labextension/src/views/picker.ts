/** Choose a file or folder on any system, for a field of the form. */

import { told, type Client } from '../core/client.js';
import { t } from '../core/language.js';
import { above, addressOf, entries, inside, MOST, ownPlaces, placeOf, systems, type Found, type Place } from '../core/places.js';
import { keep, kept, pageStorage } from '../core/storage.js';
import { button, element, show, write } from '../dom.js';
import { printable, size } from '../words.js';

/** What may be chosen. */
export type Wanted = 'file' | 'directory' | 'both';

/** Where somebody looked last, for the next field: most inputs lie side by side. */
const LAST = 'tapisjobs:folder';

function last(): Place | null {
  return placeOf(kept(pageStorage(), LAST));
}

/** What one's own folders are called. */
const PLACES = (): Readonly<Record<string, string>> => ({ HOME: t('Home'), WORK: t('Work'), SCRATCH: t('Scratch') });

export interface PickerGiven {
  /** What the field is called. */
  label: string;
  wanted: Wanted;
  /** What stands in the field. */
  address: string;
  /** The system that the job runs on. */
  system: string;
  /** Something was chosen; null where nothing was. */
  done: (address: string | null) => void;
}

export class Picker {
  readonly node: HTMLElement;

  constructor(
    private readonly client: Client,
    private readonly given: PickerGiven
  ) {
    const { label, address, system, wanted } = given;
    const written = placeOf(address);
    const where = printable(label);
    this.node = element('section', 'tj-Picker', { role: 'group', 'aria-label': t('Choose for {field}', { field: where }) });
    const before = last();
    this.known = (written && (wanted === 'directory' ? written : above(written))) ?? (before?.system === system ? before : null);
    this.place = this.known ?? { system, path: '' };
    this.up = button('↑ Up', 'The folder above', () => void this.go(above(this.place)));
    this.take = button('Choose this folder', t('Use this folder for {field}', { field: where }), () => this.choose(this.place));
    const close = button('Close', 'Choose nothing', () => given.done(null));
    const bar = element('div', 'tj-Bar', {}, this.menu, this.path, this.up, this.own);
    this.node.append(bar, this.list, this.note, element('div', 'tj-Bar', {}, this.take, close));
    show(this.take, wanted !== 'file');
    this.menu.addEventListener('change', () => void this.arrive(this.menu.value, null));
    // What somebody writes is not written over by an answer that comes meanwhile.
    this.path.addEventListener('input', () => (this.turn += 1));
    this.path.addEventListener('blur', () => this.isAsShown && this.showPath());
    this.path.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        event.preventDefault();
        void this.go({ system: this.place.system, path: this.path.value });
      }
    });
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        given.done(null);
      }
    });
    this.list.addEventListener('keydown', event => this.step(event));
    void this.begin();
  }

  focus(): void {
    this.menu.focus();
  }

  private async begin(): Promise<void> {
    try {
      const names = await systems(this.client);
      this.menu.replaceChildren(...names.map(name => element('option', '', { value: name }, printable(name))));
    } catch (fault) {
      this.say(told(fault));
    }
    await this.arrive(this.place.system, this.known);
  }

  /** Go to a system: to `known`, else to where one's own files are, else to its root. */
  private async arrive(system: string, known: Place | null): Promise<void> {
    const turn = (this.turn += 1);
    this.place = known ?? { system, path: '' };
    this.menu.value = system;
    this.own.replaceChildren();
    this.list.replaceChildren();
    this.take.disabled = true;
    this.say(t('Reading…'));
    const own = await ownPlaces(this.client, system);
    if (system === this.place.system) {
      this.own.replaceChildren(...own.map(place => button(PLACES()[place.name] ?? place.name, `/${place.path}`, () => void this.go(place))));
    }
    if (turn === this.turn) {
      await this.go(known ?? own[0] ?? { system, path: '' });
    }
  }

  private async go(wanted: Place): Promise<void> {
    const turn = (this.turn += 1);
    const place = inside(wanted, '');
    this.place = place;
    this.menu.value = place.system;
    // Nor is a text changed that somebody is about to replace.
    if (!this.isAsShown || !this.path.matches(':focus')) {
      this.showPath();
    }
    this.up.disabled = !place.path;
    this.list.replaceChildren();
    this.take.disabled = true;
    this.say(t('Reading…'));
    try {
      const found = await entries(this.client, place);
      if (turn === this.turn) {
        keep(pageStorage(), LAST, addressOf(place));
        this.take.disabled = false;
        this.draw(found);
      }
    } catch (fault) {
      if (turn === this.turn) {
        this.say(told(fault));
      }
    }
  }

  private get isAsShown(): boolean {
    return this.path.value === this.shown;
  }

  private showPath(): void {
    this.shown = this.path.value = `/${this.place.path}`;
  }

  private draw(found: Found[]): void {
    const isFile = this.given.wanted !== 'directory';
    const shown = found.slice(0, MOST).map(entry => element('li', '', {}, this.line(entry, isFile)));
    this.list.replaceChildren(...shown);
    // The list is one stop of the tab key; arrows move in it.
    this.lines.forEach((line, at) => (line.tabIndex = at ? -1 : 0));
    const most = t('The first {count} entries are shown; write the path to go on.', { count: MOST });
    this.say(found.length > MOST ? most : found.length ? '' : t('There is nothing in this folder.'));
  }

  private line({ name, isFolder, size: bytes }: Found, isFile: boolean): HTMLElement {
    const place = inside(this.place, name);
    const words = printable(isFolder ? `${name}/` : name);
    const title = isFolder ? t('Open this folder') : t('Use this file');
    const node = button(words, title, () => (isFolder ? void this.go(place) : this.choose(place)));
    node.classList.add('tj-Entry');
    node.disabled = !isFolder && !isFile;
    if (!isFolder) {
      node.append(element('span', 'tj-Size', {}, size(bytes)));
    }
    return node;
  }

  private get lines(): HTMLButtonElement[] {
    return [...this.list.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')];
  }

  private step(event: KeyboardEvent): void {
    const { lines } = this;
    const way = { ArrowDown: 1, ArrowUp: -1, Home: -lines.length, End: lines.length }[event.key];
    if (way !== undefined) {
      event.preventDefault();
      const at = lines.findIndex(line => line === document.activeElement) + way;
      lines[Math.min(Math.max(at, 0), lines.length - 1)]?.focus();
    }
  }

  private choose(place: Place): void {
    this.given.done(addressOf(place));
  }

  private say(words: string): void {
    write(this.note, printable(words));
  }

  private readonly menu = element('select', 'tj-Input', { 'aria-label': 'System of the files' });
  private readonly path = element('input', 'tj-Input', { type: 'text', 'aria-label': 'Folder', spellcheck: 'false', autocomplete: 'off' });
  private readonly own = element('span', 'tj-Bar', { role: 'group', 'aria-label': 'Your folders' });
  private readonly list = element('ul', 'tj-Entries', { 'aria-label': 'Files' });
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private readonly up: HTMLButtonElement;
  private readonly take: HTMLButtonElement;
  /** Where it begins; null for one's own files. */
  private readonly known: Place | null;
  private place: Place;
  /** What the field of the path was last given. */
  private shown = '';
  private turn = 0;
}
