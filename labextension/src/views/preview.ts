/** Shows what is in one output: text, a table, a picture, JSON, the header of a data file; never runs it. */

import type { OutputPreview } from '../core/api.js';
import { told } from '../core/client.js';
import { LARGEST } from '../core/copies.js';
import { t } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { text } from '../job.js';
import { printable, size } from '../words.js';
import { OutputLines } from './lines.js';
import { pieces } from './paint.js';
import { Saving } from './saving.js';
import { head, isRefused, openOutput, type Entry, type Site } from './site.js';
import { COPIED, copyText } from './texts.js';
import type { Preview } from './files.js';

/** Bytes of a picture that are fetched. */
const PICTURE = 20 * 1024 * 1024;
/** The pictures that a browser draws and that hold nothing to run. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp']);
const TABLES = new Set(['csv', 'tsv']);
const HDF5 = new Set(['h5', 'hdf5', 'hdf', 'mat']);

/** The preview of a job's files; `missed` is told when the server did not answer. */
export function filePreview(site: Site, uuid: string, missed?: () => void): Preview {
  return (into, file, close) => {
    const view = new PreviewView(site, uuid, file, close, missed);
    into.replaceChildren(view.node);
    return view;
  };
}

export class PreviewView {
  readonly node = element('section', 'tj-PreviewView');

  constructor(
    private readonly site: Site,
    private readonly uuid: string,
    private readonly file: Entry,
    close: () => void = () => undefined,
    private readonly missed: () => void = () => undefined
  ) {
    this.saving = new Saving(site, uuid);
    this.node.setAttribute('aria-label', t('What is in {name}', { name: printable(file.name) }));
    this.node.append(this.bar(close), this.saving.node, this.note, this.body);
    write(this.note, t('asking …'));
    void this.look();
  }

  dispose(): void {
    this.isGone = true;
    if (this.picture) {
      URL.revokeObjectURL(this.picture);
    }
  }

  /** Ask once more for what the server did not answer. */
  renew(): void {
    if (this.isMissed) {
      void this.look();
    }
  }

  private async look(): Promise<void> {
    this.isMissed = false;
    try {
      const path = { jobUuid: this.uuid, path: this.file.path };
      const { result: found } = await this.site.client.call('GET /v3/jobs/{jobUuid}/output/preview/{path}', { path });
      this.offer(found.kind);
      if (found.kind === 'image' && PICTURES.has(found.mediaType ?? '')) {
        await this.draw(found.mediaType ?? '');
      } else if (!this.isGone) {
        this.say([found.size === 0 ? t('The file is empty.') : found.note, this.cut(found)].filter(Boolean).join(' '));
        this.body.replaceChildren(...drawn(found));
      }
    } catch (fault) {
      this.say(told(fault));
      this.isMissed = !isRefused(fault);
      if (this.isMissed && !this.isGone) {
        this.missed();
      }
    }
  }

  private cut({ kind, truncated, rows }: OutputPreview): string {
    if (!truncated || kind === 'binary') {
      return '';
    }
    return kind === 'table' ? t('The first {count} rows are shown.', { count: rows.length.toLocaleString() }) : t('Only a part of {size} is shown.', { size: size(this.file.size) });
  }

  private async draw(type: string): Promise<void> {
    if (this.file.size > PICTURE) {
      this.say(t('This picture of {size} is too large to be shown here; download it.', { size: size(this.file.size) }));
      return;
    }
    // The type is one of ours and not the file's: what is no picture stays a broken one.
    const blob = new Blob([await head(this.site, this.uuid, this.file.path, PICTURE)], { type });
    if (this.isGone) {
      return;
    }
    this.picture = URL.createObjectURL(blob);
    const image = element('img', 'tj-Picture', { src: this.picture, alt: printable(this.file.name) });
    image.addEventListener('error', () => this.say(t('This file is not the picture that its beginning says.')));
    this.say('');
    this.body.replaceChildren(image);
  }

  private bar(close: () => void): HTMLElement {
    const { file } = this;
    const name = printable(file.name);
    const save = this.saving.link('tj-Button', t('Download'), t('Download {name}', { name }), () => file);
    const shut = button('✕', t('Close {name}', { name }), close);
    shut.setAttribute('aria-label', shut.title);
    this.reader = button('', '', () => void this.insert(this.reader.title));
    show(this.reader, false);
    const parts: Node[] = [save, this.reader, shut];
    if (this.site.openFile) {
      const title = t('Copy {name} into the folder {folder} beside the notebook in front, and open the copy in Lab', { name, folder: `jobs-${this.uuid}` });
      const opener = button(t('Open a copy in Lab'), title, () => void this.openCopy(opener));
      parts.splice(2, 0, opener);
    }
    return element('div', 'tj-Bar', {}, element('strong', 'tj-FileName', {}, name), size(file.size), ...parts);
  }

  private async openCopy(opener: HTMLButtonElement): Promise<void> {
    const { site, uuid, file } = this;
    if (file.size > LARGEST) {
      this.say(t('This file of {size} is too large to be copied by the page; download it.', { size: size(file.size) }));
      return;
    }
    opener.disabled = true;
    this.say(t('copying …'));
    try {
      const whole = await (await openOutput(site, uuid, file.path)).blob();
      this.say(t('A copy is in {path}.', { path: (await site.openFile?.(uuid, file.name, whole)) ?? '' }));
    } catch (fault) {
      this.say(isRefused(fault) || !(fault instanceof Error) ? told(fault) : t('It could not be copied: {why}', { why: fault.message }));
    }
    opener.disabled = false;
  }

  /** The line of code that opens the file in a notebook. */
  private offer(kind: OutputPreview['kind']): void {
    write(this.reader, TABLES.has(ending(this.file.name)) ? t('Load as DataFrame') : t('Open in a cell'));
    this.reader.title = code(this.uuid, this.file.path, kind);
    show(this.reader, true);
  }

  private async insert(lines: string): Promise<void> {
    if (this.site.insertCode) {
      try {
        await this.site.insertCode(lines);
        this.say(t('The code is in a cell of the notebook.'));
      } catch (fault) {
        this.say(told(fault));
      }
    } else {
      await copyText(lines, words => this.say(words === COPIED ? t('Copied; paste it into a cell.') : lines));
    }
  }

  private say(words: string): void {
    if (!this.isGone) {
      write(this.note, printable(words));
    }
  }

  private isGone = false;
  private isMissed = false;
  private reader!: HTMLButtonElement;
  private picture: string | null = null;
  private readonly saving: Saving;
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly body = element('div', 'tj-Preview-body');
}

/** The lines that open an output in a notebook; JSON's texts are Python's too. */
export function code(uuid: string, path: string, kind: OutputPreview['kind'] = 'text'): string {
  const name = ending(path);
  const told = JSON.stringify(path);
  const opens: [string, string] = TABLES.has(name)
    ? ['', `df = job.read_csv(${told}${name === 'tsv' ? ', sep="\\t"' : ''})\ndf`]
    : (OPENS[kind]?.(told, path) ?? ['', `path = job.download(${told}, unfinished=True)\npath`]);
  const [needed, read] = opens;
  return `import jupyter_tapis_jobs as tj\n${needed}job = tj.connect().job(${JSON.stringify(uuid)})\n${read}`;
}

/** What each kind needs, and how it is opened. */
const OPENS: Partial<Record<OutputPreview['kind'], (told: string, path: string) => [string, string]>> = {
  text: told => ['', `text = job.read(${told})\nprint(text)`],
  json: told => ['import json\n', `data = json.loads(job.read(${told}))\ndata`],
  image: told => ['from IPython.display import Image\n', `Image(job.read_bytes(${told}))`],
  header: (told, path) =>
    HDF5.has(ending(path))
      ? ['import h5py\n', `file = h5py.File(job.download(${told}, unfinished=True))\nlist(file)`]
      : ['import xarray as xr\n', `data = xr.open_dataset(job.download(${told}, unfinished=True))\ndata`]
};

function ending(name: string): string {
  return /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

function drawn(found: OutputPreview): Node[] {
  switch (found.kind) {
    case 'table':
      return [table(found)];
    case 'json':
    case 'text':
    case 'header':
      return found.text ? [plainText(found.text)] : [];
    default:
      return [element('p', 'tj-Empty', {}, t('This file is no text; download it.'))];
  }
}

/** Text with its colours; a file may be a log too. */
function plainText(told: string): HTMLElement {
  const lines = new OutputLines();
  lines.add(told);
  const shown = lines.all.flatMap(({ raw, before }) => [...pieces(raw, before).map(piece => piece.text), '\n']);
  return element('pre', 'tj-Text', { role: 'region', tabindex: '0', 'aria-label': t('Text of the file') }, shown.join(''));
}

function table({ columns, rows }: OutputPreview): HTMLElement {
  const isNumber = (value: unknown): string => (typeof value === 'number' ? 'tj-Number' : '');
  const names = columns.map((name, place) => element('th', isNumber(rows[0]?.[place]), { scope: 'col' }, printable(name)));
  const body = rows.map(row =>
    element('tr', '', {}, ...row.map(value => element('td', isNumber(value), {}, printable(text(value)))))
  );
  const made = element('table', 'tj-Table', {}, element('thead', '', {}, element('tr', '', {}, ...names)), element('tbody', '', {}, ...body));
  return element('div', 'tj-Scroll', { tabindex: '0', role: 'region', 'aria-label': t('Table') }, made);
}
