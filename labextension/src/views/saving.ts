/** Brings outputs to the person's disk and tells how far it is; what a page cannot hold is left to the browser. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { printable, size } from '../words.js';
import { downloadUrl, later, openOutput, type Later, type Site } from './site.js';

/** Bytes that the page holds until a file is whole; above it the browser writes as they come. */
const MOST = 256 * 1024 * 1024;
/** Milliseconds between two words about it; until a file that was handed over is let go. */
const TOLD = 100;
const HANDED = 60_000;

/** A file; or, where `only` is given, a zip file of a folder: of these entries, of all where there are none. */
export interface Wanted {
  readonly path: string;
  /** What the file is called on the person's disk. */
  readonly name: string;
  /** Bytes, null where nobody knows before. */
  readonly size: number | null;
  readonly only?: readonly string[];
}

export class Saving {
  /** How far each one is. */
  readonly node = element('div', 'tj-Saving', { role: 'group', 'aria-label': t('Downloads') });

  constructor(
    private readonly site: Site,
    private readonly uuid: string,
    private readonly wait: Later = later
  ) {}

  /** A link that brings one; `wanted` is asked when it is pressed. */
  link(className: string, label: string, title: string, wanted: () => Wanted): HTMLAnchorElement {
    const node = element('a', className, { download: '', title }, label);
    const point = (): void => void (node.href = this.url(wanted()));
    point();
    node.addEventListener('click', event => {
      const chosen = wanted();
      point();
      if (event.ctrlKey || event.metaKey || event.shiftKey || (chosen.size ?? 0) > MOST) {
        // A new tab, or too large: the browser's own download, which shows how far it is.
        return;
      }
      event.preventDefault();
      void this.save(chosen);
    });
    return node;
  }

  url({ path, only }: Wanted): string {
    return downloadUrl(this.site, this.uuid, path, only);
  }

  async save(wanted: Wanted): Promise<void> {
    const row = new Row(wanted, () => void this.save(wanted));
    this.node.append(row.node);
    try {
      const response = await openOutput(this.site, this.uuid, wanted.path, wanted.only);
      const parts = await row.read(response);
      if (parts) {
        const url = URL.createObjectURL(new Blob(parts, { type: 'application/octet-stream' }));
        hand(url, wanted.name, row.node);
        this.wait(() => URL.revokeObjectURL(url), HANDED);
        row.end('');
      } else if (!row.isStopped) {
        hand(this.url(wanted), wanted.name, row.node);
        row.end(t('It is large: the browser itself downloads it.'));
      }
    } catch (fault) {
      row.fail(told(fault));
    }
  }

  dispose(): void {
    this.node.replaceChildren();
  }
}

/** One download: its name, how far it is, and a button that stops it. */
class Row {
  readonly node = element('div', 'tj-SavingRow');

  constructor(
    private readonly wanted: Wanted,
    again: () => void
  ) {
    const name = printable(wanted.name);
    this.bar = element('progress', '', { 'aria-label': t('Download of {name}', { name }) });
    this.stopButton = button(t('Stop'), t('Stop the download of {name}', { name }), () => this.stop());
    this.againButton = button(t('Try again'), t('Download {name} anew', { name }), () => {
      this.node.remove();
      again();
    });
    show(this.againButton, false);
    this.node.append(element('span', 'tj-SavingName', {}, name), this.bar, this.words, this.againButton, this.stopButton);
    this.tell(0, wanted.size);
  }

  isStopped = false;

  /** The parts of an answer; null when it was stopped, or is too large for the page. */
  async read(response: Response): Promise<BlobPart[] | null> {
    const whole = Number(response.headers.get('Content-Length')) || this.wanted.size;
    const parts: BlobPart[] = [];
    const reader = response.body?.getReader();
    let [count, toldAt] = [0, 0];
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done || !value || this.isStopped || count + value.length > MOST) {
        void reader?.cancel().catch(() => undefined);
        return done && !this.isStopped ? parts : null;
      }
      parts.push(value);
      count += value.length;
      if (toldAt + TOLD < performance.now()) {
        toldAt = performance.now();
        this.tell(count, whole);
      }
    }
  }

  /** It is here; without words the line goes. */
  end(words: string): void {
    write(this.words, words);
    this.bar.remove();
    write(this.stopButton, t('Close'));
    if (!words) {
      this.node.remove();
    }
  }

  fail(words: string): void {
    this.end(`${printable(words)} ${this.progress}`);
    show(this.againButton, true);
  }

  private tell(count: number, whole: number | null): void {
    this.progress = whole ? t('{part} of {whole}', { part: size(count), whole: size(whole) }) : size(count);
    write(this.words, this.progress);
    if (whole) {
      this.bar.max = whole;
      this.bar.value = count;
    }
  }

  private stop(): void {
    this.isStopped = true;
    this.node.remove();
  }

  private progress = '';
  private readonly bar: HTMLProgressElement;
  private readonly words = element('span', 'tj-Caption', { role: 'status' });
  private readonly stopButton: HTMLButtonElement;
  private readonly againButton: HTMLButtonElement;
}

/** Let the browser save what is at `url`; the page may know a way of its own, so the click is on it. */
function hand(url: string, name: string, place: HTMLElement): void {
  const link = element('a', '', { href: url, download: name });
  place.append(link);
  link.click();
  link.remove();
}
