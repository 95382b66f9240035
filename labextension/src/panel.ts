/** The jobs in a notebook's cell: the module of the widget that `tapis.panel()` makes. */

import { Client } from './core/client.js';
import { Jobs } from './core/jobs.js';
import { pageWire } from './core/page_wire.js';
import { element } from './dom.js';
import { Live } from './live.js';
import { JobsView } from './views/jobs.js';

interface Place {
  el: HTMLElement;
}

let jobs: Jobs | null | undefined;

/** One connection for all panels of the page; null where the page is not Jupyter's own. */
function theJobs(): Jobs | null {
  if (jobs === undefined) {
    const wire = pageWire();
    jobs = wire && new Jobs(new Client(wire), new Live(wire.socket));
  }
  return jobs;
}

function render({ el }: Place): () => void {
  const found = theJobs();
  if (!found) {
    el.append(element('p', 'tj-Trouble', {}, 'This page does not belong to a Jupyter server: open the notebook in JupyterLab or Jupyter Notebook.'));
    return () => undefined;
  }
  const view = new JobsView(found);
  const place = element('div', 'tj-Panel', {}, view.node);
  // Keys meant for the panel are not the notebook's.
  place.dataset['lmSuppressShortcuts'] = 'true';
  el.append(place);
  return () => view.dispose();
}

export default { render };
