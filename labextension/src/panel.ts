/** Jobs, studies, systems and apps in a notebook's cell: the module of the widget that `tapis.panel()` makes. */

import { Client } from './core/client.js';
import { pageWire } from './core/page_wire.js';
import { element } from './dom.js';
import { Live } from './live.js';
import { Frame } from './views/frame.js';
import type { Site } from './views/site.js';

interface Place {
  el: HTMLElement;
}

let site: Site | null | undefined;

/** One connection for all panels of the page; null where the page is not Jupyter's own. */
function theSite(): Site | null {
  if (site === undefined) {
    const wire = pageWire();
    site = wire && { wire, client: new Client(wire), live: new Live(wire.socket) };
  }
  return site;
}

function render({ el }: Place): () => void {
  const found = theSite();
  if (!found) {
    el.append(element('p', 'tj-Trouble', {}, 'This page does not belong to a Jupyter server: open the notebook in JupyterLab or Jupyter Notebook.'));
    return () => undefined;
  }
  const frame = new Frame(found);
  const place = element('div', 'tj-Panel', {}, frame.node);
  // Keys meant for the panel are not the notebook's.
  place.dataset['lmSuppressShortcuts'] = 'true';
  el.append(place);
  frame.show(true);
  return () => frame.dispose();
}

export default { render };
