/** The files of a job, while it runs and after: folders to walk through, downloads, and what is in a file. */

import { told } from '../core/client.js';
import { button, element, show, write } from '../dom.js';
import { moment, printable, size } from '../words.js';
import { downloadUrl, folder, isRefused, type Entry, type Site } from './site.js';
import { clockTime } from './timeline.js';

/** Entries of a folder that are shown. */
const MOST = 1_000;

/** Draws what is in one file; the result ends it. */
export type Preview = (into: HTMLElement, file: Entry) => () => void;

export class FilesView {
  readonly node = element('section', 'tj-FilesView');

  constructor(
    private readonly site: Site,
    private readonly uuid: string,
    private readonly preview: Preview
  ) {
    const again = button('Look again', 'List this folder anew', () => void this.look());
    this.node.append(element('div', 'tj-Bar', {}, this.path, again, this.zip), this.note, this.table, this.shown);
    this.table.append(this.rows);
  }

  /** List the folder that is open; after the first time what is shown stays until the answer is there. */
  async look(): Promise<void> {
    const path = this.folder;
    try {
      const found = await folder(this.site, this.uuid, path, MOST);
      if (path === this.folder && !this.isGone) {
        this.draw(found);
        this.say(found.length ? '' : path ? 'This folder is empty.' : 'No files yet.');
      }
    } catch (fault) {
      if (path === this.folder && !this.isGone) {
        this.say(isRefused(fault) && fault.status === 404 ? 'No files yet.' : told(fault));
      }
    }
  }

  dispose(): void {
    this.isGone = true;
    this.close();
  }

  private walk(path: string): void {
    this.folder = path;
    this.close();
    this.rows.replaceChildren();
    this.say('asking …');
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
    show(this.shown, true);
    this.end = this.preview(this.shown, file);
  }

  private close(): void {
    this.end?.();
    this.end = null;
    this.opened = null;
    this.shown.replaceChildren();
    show(this.shown, false);
    this.rows.querySelectorAll('[aria-expanded]').forEach(opener => opener.setAttribute('aria-expanded', 'false'));
  }

  private draw(found: readonly Entry[]): void {
    this.drawPath();
    const now = Date.now();
    this.rows.replaceChildren(...found.slice(0, MOST).map(entry => this.row(entry, now)));
    if (found.length >= MOST) {
      const words = `Only the first ${MOST.toLocaleString()} are listed; the zip file has all.`;
      this.rows.append(element('tr', '', {}, element('td', 'tj-Caption', { colspan: '4' }, words)));
    }
  }

  private row(entry: Entry, now: number): HTMLElement {
    const at = moment(entry.changed);
    const when = at === null ? '' : element('time', '', { title: `${new Date(at).toISOString()} (UTC)` }, clockTime(at, now));
    const href = downloadUrl(this.site, this.uuid, entry.path, entry.isFolder);
    const name = printable(entry.name);
    const label = entry.isFolder ? `Download folder ${name} as a zip file` : `Download ${name}`;
    const save = element('a', 'tj-Download', { href, download: '', title: label, 'aria-label': label }, '⤓');
    return element(
      'tr',
      'tj-FileRow',
      {},
      element('td', '', {}, this.opener(entry)),
      element('td', 'tj-Number', {}, entry.isFolder ? '' : size(entry.size)),
      element('td', 'tj-Number', {}, when),
      element('td', '', {}, save)
    );
  }

  private opener(entry: Entry): HTMLElement {
    const name = printable(entry.name);
    if (entry.isFolder) {
      return button(`▸ ${name}/`, `Open folder ${name}`, () => this.walk(entry.path));
    }
    const opener = button(name, `Show what is in ${name}`, () => this.open(entry, opener));
    opener.setAttribute('aria-expanded', String(this.opened === entry.path));
    return opener;
  }

  private drawPath(): void {
    const parts = this.folder ? this.folder.split('/') : [];
    const steps = parts.map((part, place) =>
      button(printable(part), 'Open this folder', () => this.walk(parts.slice(0, place + 1).join('/')))
    );
    const top = button('outputs', 'Open the top folder', () => this.walk(''));
    this.path.replaceChildren(...[top, ...steps].flatMap((step, place) => (place ? [' / ', step] : [step])));
    this.zip.href = downloadUrl(this.site, this.uuid, this.folder, true);
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, Boolean(words));
  }

  private folder = '';
  private opened: string | null = null;
  private isGone = false;
  private end: (() => void) | null = null;
  private readonly path = element('nav', 'tj-Path', { 'aria-label': 'Folder' });
  private readonly zip = element('a', 'tj-Button', { download: '' }, 'Download all (zip)');
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly rows = element('tbody', '');
  private readonly table = element('table', 'tj-Table', { 'aria-label': 'Files of the job' });
  private readonly shown = element('div', 'tj-Preview', { hidden: true });
}
