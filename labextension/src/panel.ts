/** Jobs, studies, systems, apps and the form in a notebook's cell: the module of the widget that `tapis.panel()` makes. */

import { Client, type Wire } from './core/client.js';
import { minded, signInWords, versionWords } from './core/condition.js';
import { KernelExtras } from './core/kernel_extras.js';
import { KernelLine, type Model } from './core/kernel_line.js';
import { kernelWire, linkOf } from './core/kernel_wire.js';
import { t } from './core/language.js';
import { keepKeys } from './core/notebook_keys.js';
import { pageWire } from './core/page_wire.js';
import { element } from './dom.js';
import { hurried, Live } from './live.js';
import { text } from './job.js';
import { ConditionBar } from './views/condition.js';
import { Frame } from './views/frame.js';
import { followLinks } from './views/kernel_downloads.js';

interface Place {
  el: HTMLElement;
  model: Model;
}

const WORDS = {
  way: 'This page cannot reach the Jupyter server by itself: all goes through the kernel, and buttons may wait for the running cell.',
  waiting: '⏳ Waiting for the running cell: the kernel hears this when it has ended. After a restart, run the cell of the panel again.'
};

/** One connection for all panels of the page; null where the page is not Jupyter's own. */
let ofPage: { wire: Wire; live: Live } | null | undefined;

function thePage(): { wire: Wire; live: Live } | null {
  if (ofPage === undefined) {
    const wire = pageWire();
    ofPage = wire && { wire, live: hurried(new Live(wire.socket)) };
  }
  return ofPage;
}

/** One panel in one place: through the page where that can reach the server, else through the kernel. */
class Panel {
  constructor(
    el: HTMLElement,
    private readonly model: Model
  ) {
    this.line = new KernelLine(model);
    this.place.append(this.bar.node);
    this.ends.push(keepKeys(this.place));
    el.append(this.place);
    this.ends.push(this.line.watch(isWaiting => this.bar.state('waiting', isWaiting ? t(WORDS.waiting) : '')));
    const page = thePage();
    if (page) {
      this.draw(page.wire, page.live);
    } else {
      this.drawThroughKernel();
    }
  }

  dispose(): void {
    this.frame?.dispose();
    this.ends.forEach(end => end());
    this.line.dispose();
    this.place.remove();
  }

  private drawThroughKernel(): void {
    const wire = kernelWire(this.line);
    this.isByKernel = true;
    this.bar.state('way', t(WORDS.way));
    this.ends.push(followLinks(linkOf(this.line), wire, words => this.bar.state('download', words)));
    this.draw(wire, new Live(wire.socket));
  }

  private draw(way: Wire, live: Live): void {
    const wire = minded(way, isSignedOut => this.bar.state('signedOut', signInWords(isSignedOut)));
    const client = new Client(wire);
    this.frame = new Frame({ wire, client, live }, { extras: [new KernelExtras(this.model, this.line)] });
    this.place.append(this.frame.node);
    this.frame.show(true);
    void this.look(wire);
  }

  /** The server may be of another version; or the page is another server's, which knows nothing of jobs. */
  private async look(wire: Wire): Promise<void> {
    const response = await wire.request('GET', '/v3/tapisjobs/server').catch(() => null);
    if (response?.status === 404 && !this.isByKernel) {
      this.frame?.dispose();
      this.frame?.node.remove();
      this.drawThroughKernel();
    } else if (response?.ok) {
      const { result } = (await response.json()) as { result: { version: string } };
      this.bar.state('version', versionWords(text(this.model.get('version')), text(result.version)));
    }
  }

  private readonly place = element('div', 'tj-Panel');
  private readonly bar = new ConditionBar();
  private readonly ends: (() => void)[] = [];
  private readonly line: KernelLine;
  private frame: Frame | null = null;
  private isByKernel = false;
}

function render({ el, model }: Place): () => void {
  const panel = new Panel(el, model);
  return () => panel.dispose();
}

export default { render };
