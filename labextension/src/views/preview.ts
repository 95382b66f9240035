/** Shows what is in one output: text, a table, a picture, JSON, the header of a data file; never runs it. */

import type { OutputPreview } from '../core/api.js';
import { told } from '../core/client.js';
import { button, element, show, write } from '../dom.js';
import { text } from '../job.js';
import { printable, size } from '../words.js';
import { OutputLines } from './lines.js';
import { pieces } from './paint.js';
import { downloadUrl, head, type Entry, type Site } from './site.js';
import { COPIED, copyText } from './texts.js';
import type { Preview } from './files.js';

/** Bytes of a picture that are fetched. */
const PICTURE = 20 * 1024 * 1024;
/** The pictures that a browser draws and that hold nothing to run. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp']);
/** What a notebook reads as text or as a table. */
const READABLE = new Set(['text', 'table', 'json']);
const TABLES = new Set(['csv', 'tsv']);

/** The preview of a job's files. */
export function filePreview(site: Site, uuid: string): Preview {
  return (into, file) => {
    const view = new PreviewView(site, uuid, file);
    into.replaceChildren(view.node);
    return () => view.dispose();
  };
}

export class PreviewView {
  readonly node = element('section', 'tj-PreviewView');

  constructor(
    private readonly site: Site,
    private readonly uuid: string,
    private readonly file: Entry
  ) {
    this.node.setAttribute('aria-label', `What is in ${printable(file.name)}`);
    this.node.append(this.bar(), this.note, this.body);
    write(this.note, 'asking …');
    void this.look();
  }

  dispose(): void {
    this.isGone = true;
    if (this.picture) {
      URL.revokeObjectURL(this.picture);
    }
  }

  private async look(): Promise<void> {
    try {
      const path = { jobUuid: this.uuid, path: this.file.path };
      const { result: found } = await this.site.client.call('GET /v3/jobs/{jobUuid}/output/preview/{path}', { path });
      show(this.reader, READABLE.has(found.kind));
      if (found.kind === 'image' && PICTURES.has(found.mediaType ?? '')) {
        await this.draw(found.mediaType ?? '');
      } else if (!this.isGone) {
        this.say([found.note, found.truncated ? `Only a part of ${size(this.file.size)} is shown.` : ''].filter(Boolean).join(' '));
        this.body.replaceChildren(...drawn(found));
      }
    } catch (fault) {
      this.say(told(fault));
    }
  }

  private async draw(type: string): Promise<void> {
    if (this.file.size > PICTURE) {
      this.say(`This picture of ${size(this.file.size)} is too large to be shown here; download it.`);
      return;
    }
    // The type is one of ours and not the file's: what is no picture stays a broken one.
    const blob = new Blob([await head(this.site, this.uuid, this.file.path, PICTURE)], { type });
    if (this.isGone) {
      return;
    }
    this.picture = URL.createObjectURL(blob);
    const image = element('img', 'tj-Picture', { src: this.picture, alt: printable(this.file.name) });
    image.addEventListener('error', () => this.say('This file is not the picture that its beginning says.'));
    this.say('');
    this.body.replaceChildren(image);
  }

  private bar(): HTMLElement {
    const { path, name } = this.file;
    const save = element('a', 'tj-Button', { href: downloadUrl(this.site, this.uuid, path), download: '' }, 'Download');
    const bar = element('div', 'tj-Bar', {}, element('strong', '', {}, printable(name)), ` ${size(this.file.size)} `, save);
    const lines = code(this.uuid, path);
    const label = TABLES.has(ending(name)) ? 'Load as DataFrame' : 'Read in a cell';
    this.reader = button(label, lines, () => void this.insert(lines));
    bar.append(this.reader);
    show(this.reader, false);
    return bar;
  }

  private async insert(lines: string): Promise<void> {
    if (this.site.insertCode) {
      await this.site.insertCode(lines);
      this.say('The code is in a cell.');
    } else {
      await copyText(lines, words => this.say(words === COPIED ? 'Copied; paste it into a cell.' : lines));
    }
  }

  private say(words: string): void {
    if (!this.isGone) {
      write(this.note, printable(words));
    }
  }

  private isGone = false;
  private reader!: HTMLButtonElement;
  private picture: string | null = null;
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly body = element('div', 'tj-Preview-body');
}

/** The lines that read an output in a notebook; JSON's texts are Python's too. */
export function code(uuid: string, path: string): string {
  const name = ending(path);
  const job = `tj.connect().job(${JSON.stringify(uuid)})`;
  const separator = name === 'tsv' ? ', sep="\\t"' : '';
  const read = TABLES.has(name) ? `df = ${job}.read_csv(${JSON.stringify(path)}${separator})` : `text = ${job}.read(${JSON.stringify(path)})`;
  return `import jupyter_tapis_jobs as tj\n${read}`;
}

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
      return [element('p', 'tj-Empty', {}, 'This file is no text; download it.')];
  }
}

/** Text with its colours; a file may be a log too. */
function plainText(told: string): HTMLElement {
  const lines = new OutputLines();
  lines.add(told);
  const shown = lines.all.flatMap(({ raw, before }) => [...pieces(raw, before).map(piece => piece.text), '\n']);
  return element('pre', 'tj-Text', { tabindex: '0', 'aria-label': 'Text of the file' }, shown.join(''));
}

function table({ columns, rows }: OutputPreview): HTMLElement {
  const isNumber = (value: unknown): string => (typeof value === 'number' ? 'tj-Number' : '');
  const names = columns.map((name, place) => element('th', isNumber(rows[0]?.[place]), { scope: 'col' }, printable(name)));
  const body = rows.map(row =>
    element('tr', '', {}, ...row.map(value => element('td', isNumber(value), {}, printable(text(value)))))
  );
  const made = element('table', 'tj-Table', {}, element('thead', '', {}, element('tr', '', {}, ...names)), element('tbody', '', {}, ...body));
  return element('div', 'tj-Scroll', { tabindex: '0', role: 'region', 'aria-label': 'Table' }, made);
}
