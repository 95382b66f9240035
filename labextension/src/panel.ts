/** The jobs in a notebook's cell: the module of the widget that `tapis.panel()` makes. */

import { Client } from './core/client.js';
import { Jobs } from './core/jobs.js';
import { pageWire } from './core/page_wire.js';
import { element } from './dom.js';
import { Live } from './live.js';
import { DetailsView } from './views/details.js';
import { JobsView } from './views/jobs.js';
import type { Site } from './views/site.js';
import { SubmitView } from './views/submit.js';

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
  const details = async (uuid: string): Promise<DetailsView> => new DetailsView(found, uuid);
  const submit = async (open: (uuid: string) => void): Promise<SubmitView> => new SubmitView(found, { open });
  const view = new JobsView(new Jobs(found.client, found.live), { details, submit });
  const place = element('div', 'tj-Panel', {}, view.node);
  // Keys meant for the panel are not the notebook's.
  place.dataset['lmSuppressShortcuts'] = 'true';
  el.append(place);
  return () => view.dispose();
}

export default { render };
