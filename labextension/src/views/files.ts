/** The files of a job, while it runs and after: folders to walk through, downloads, and what is in a file. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { moment, printable, size } from '../words.js';
import { Saving, type Wanted } from './saving.js';
import { folder, isRefused, type Entry, type Site } from './site.js';
import { clockTime } from './timeline.js';

/** Entries of a folder that are shown. */
const MOST = 1_000;

/** What is in one file; `renew` asks once more for what the server did not answer. */
export interface Opened {
  renew(): void;
  dispose(): void;
}

/** Draws what is in one file, with a button that closes it. */
export type Preview = (into: HTMLElement, file: Entry, close: () => void) => Opened;

export class FilesView {
  readonly node = element('section', 'tj-FilesView');

  constructor(
    private readonly site: Site,
    private readonly uuid: string,
    private readonly preview: Preview,
    /** The server did not answer: `look` is wanted once it does. */
    private readonly missed: () => void = () => undefined
  ) {
    this.saving = new Saving(site, uuid);
    const again = button(t('Look again'), t('List this folder anew'), () => void this.look());
    const title = t('Download what is chosen, or the whole folder where nothing is, as a zip file');
    this.zip = this.saving.link('tj-Button', t('Download all (zip)'), title, () => this.wanted());
    this.node.append(element('div', 'tj-Bar', {}, this.path, again, this.zip), this.saving.node, this.note);
    this.node.append(element('div', 'tj-FileList', {}, this.table), this.shown);
    this.table.append(this.rows);
  }

  /** List the folder that is open; after the first time what is shown stays until the answer is there. */
  async look(): Promise<void> {
    const path = this.folder;
    this.file?.renew();
    try {
      const found = await folder(this.site, this.uuid, path, MOST);
      if (path === this.folder && !this.isGone) {
        this.draw(found);
        this.say(found.length ? '' : path ? t('This folder is empty.') : t('No files yet.'));
      }
    } catch (fault) {
      if (path === this.folder && !this.isGone) {
        this.say(isRefused(fault) && fault.status === 404 ? t('No files yet.') : told(fault));
        if (!isRefused(fault)) {
          this.missed();
        }
      }
    }
  }

  dispose(): void {
    this.isGone = true;
    this.saving.dispose();
    this.close();
  }

  /** The one file that is chosen, else a zip file of the chosen entries, else of the folder. */
  private wanted(): Wanted {
    const chosen = [...this.chosen.values()];
    const [first] = chosen;
    if (first && chosen.length === 1 && !first.isFolder) {
      return first;
    }
    const name = this.folder.split('/').pop() || `jobs-${this.uuid}`;
    return { path: this.folder, name: `${name}.zip`, size: null, only: chosen.map(entry => entry.name) };
  }

  private choose(entry: Entry, isChosen: boolean): void {
    if (isChosen) {
      this.chosen.set(entry.path, entry);
    } else {
      this.chosen.delete(entry.path);
    }
    this.tellChosen();
  }

  private tellChosen(): void {
    const [first] = this.chosen.values();
    const count = this.chosen.size;
    const all = count ? t('Download {count} (zip)', { count: count.toLocaleString() }) : t('Download all (zip)');
    write(this.zip, count === 1 && !first?.isFolder ? t('Download 1 file') : all);
  }

  private walk(path: string): void {
    this.folder = path;
    this.chosen.clear();
    this.tellChosen();
    this.close();
    this.rows.replaceChildren();
    this.say(t('asking …'));
    void this.look();
  }

  private open(file: Entry, opener: HTMLElement): void {
    const isSame = this.opened === file.path;
    this.close();
    if (isSame) {
      return;
    }
    this.opened = file.path;
    opener.setAttribute('aria-expanded', 'true');
    this.split(true);
    this.file = this.preview(this.shown, file, () => {
      this.close();
      opener.focus();
    });
    // The list has become lower: what was pressed stays in view.
    opener.scrollIntoView?.({ block: 'nearest' });
  }

  private split(isOpen: boolean): void {
    show(this.shown, isOpen);
    this.node.classList.toggle('tj-mod-open', isOpen);
  }

  private close(): void {
    this.file?.dispose();
    this.file = null;
    this.opened = null;
    this.shown.replaceChildren();
    this.split(false);
    this.rows.querySelectorAll('[aria-expanded]').forEach(opener => opener.setAttribute('aria-expanded', 'false'));
  }

  private draw(found: readonly Entry[]): void {
    this.drawPath();
    const now = Date.now();
    const there = new Map(found.map(entry => [entry.path, entry]));
    [...this.chosen.keys()].forEach(path => there.has(path) || this.chosen.delete(path));
    this.tellChosen();
    this.rows.replaceChildren(...found.slice(0, MOST).map(entry => this.row(entry, now)));
    if (found.length >= MOST) {
      const words = t('Only the first {count} are listed; the zip file has all.', { count: MOST.toLocaleString() });
      this.rows.append(element('tr', '', {}, element('td', 'tj-Caption', { colspan: '5' }, words)));
    }
  }

  private row(entry: Entry, now: number): HTMLElement {
    const at = moment(entry.changed);
    const when = at === null ? '' : element('time', '', { title: `${new Date(at).toISOString()} (UTC)` }, clockTime(at, now));
    const name = printable(entry.name);
    const label = entry.isFolder ? t('Download folder {name} as a zip file', { name }) : t('Download {name}', { name });
    const { path, size: bytes } = entry;
    const wanted = entry.isFolder ? { path, name: `${entry.name}.zip`, size: null, only: [] } : { path, name: entry.name, size: bytes };
    const save = this.saving.link('tj-Download', '⤓', label, () => wanted);
    save.setAttribute('aria-label', label);
    const pick = element('input', 'tj-Pick', { type: 'checkbox', 'aria-label': t('Choose {name}', { name }) });
    pick.checked = this.chosen.has(path);
    pick.addEventListener('change', () => this.choose(entry, pick.checked));
    return element(
      'tr',
      'tj-FileRow',
      {},
      element('td', '', {}, pick),
      element('td', '', {}, this.opener(entry)),
      element('td', 'tj-Number', {}, entry.isFolder ? '' : size(entry.size)),
      element('td', 'tj-Number tj-Changed', {}, when),
      element('td', '', {}, save)
    );
  }

  private opener(entry: Entry): HTMLElement {
    const name = printable(entry.name);
    if (entry.isFolder) {
      return button(`▸ ${name}/`, t('Open folder {name}', { name }), () => this.walk(entry.path));
    }
    const opener = button(name, t('Show what is in {name}', { name }), () => this.open(entry, opener));
    opener.setAttribute('aria-expanded', String(this.opened === entry.path));
    return opener;
  }

  private drawPath(): void {
    const parts = this.folder ? this.folder.split('/') : [];
    const steps = parts.map((part, place) =>
      button(printable(part), t('Open this folder'), () => this.walk(parts.slice(0, place + 1).join('/')))
    );
    const top = button(t('outputs'), t('Open the top folder'), () => this.walk(''));
    this.path.replaceChildren(...[top, ...steps].flatMap((step, place) => (place ? [' / ', step] : [step])));
    this.zip.href = this.saving.url(this.wanted());
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, Boolean(words));
  }

  private folder = '';
  private opened: string | null = null;
  private isGone = false;
  private file: Opened | null = null;
  private readonly path = element('nav', 'tj-Path', { 'aria-label': t('Folder') });
  private readonly chosen = new Map<string, Entry>();
  private readonly saving: Saving;
  private readonly zip: HTMLAnchorElement;
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly rows = element('tbody', '');
  private readonly table = element('table', 'tj-Table', { 'aria-label': t('Files of the job') });
  private readonly shown = element('div', 'tj-Preview', { hidden: true });
}
