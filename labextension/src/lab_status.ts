/** In Lab's status bar: how many jobs run, wait and have failed; a click opens them. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import { Client } from './core/client.js';
import { t } from './core/language.js';
import { Tally, type Numbers } from './core/tally.js';
import { element, write } from './dom.js';
import { commandOf } from './lab_commands.js';
import { labWire } from './lab_wire.js';
import { theServer } from './server.js';
import { later } from './views/site.js';

class Item extends Widget {
  constructor(open: () => void) {
    super();
    this.addClass('tj-StatusItem');
    this.button.addEventListener('click', open);
    this.node.append(this.button);
    document.addEventListener('visibilitychange', this.seen);
    this.tally = new Tally(new Client(labWire()), theServer().live, numbers => this.tell(numbers), later);
  }

  override dispose(): void {
    document.removeEventListener('visibilitychange', this.seen);
    this.tally.stop();
    super.dispose();
  }

  private tell(numbers: Numbers | null): void {
    write(this.button, numbers ? short(numbers) : '⚠ –');
    const words = numbers ? long(numbers) : t('Jobs: the server does not answer; it is asked again');
    this.button.setAttribute('aria-label', words);
    this.button.title = words;
  }

  private readonly seen = (): void => this.tally.show(!document.hidden);
  private readonly button = element('button', 'tj-StatusButton', { type: 'button' });
  private readonly tally: Tally;
}

/** `▶ 3  ◷ 12  ✗ 1`: running and waiting always, trouble where there is some. */
function short({ running, waiting, blocked, failed }: Numbers): string {
  const parts: [string, number][] = [['▶', running], ['◷', waiting], ['⚠', blocked], ['✗', failed]];
  const shown = parts.filter(([, count], place) => place < 2 || count > 0);
  return shown.map(([glyph, count]) => `${glyph} ${count.toLocaleString()}`).join('  ');
}

function long({ running, waiting, blocked, failed }: Numbers): string {
  return t('Jobs: {running} running, {waiting} waiting, {blocked} held back by trouble, {failed} failed within a day', {
    running, waiting, blocked, failed
  });
}

export const status: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:status',
  description: 'Counts jobs in the status bar.',
  autoStart: true,
  // Jupyter Notebook has no such bar.
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, bar: IStatusBar | null) => {
    if (!bar) {
      return;
    }
    const item = new Item(() => void app.commands.execute(commandOf('Jobs')));
    bar.registerStatusItem('jupyter-tapis-jobs:status', { item, align: 'left', rank: 90 });
  }
};
