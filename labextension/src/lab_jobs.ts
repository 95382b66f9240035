/** The jobs in Lab: a tab in the main area and a narrow list in the sidebar. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Client } from './core/client.js';
import { Jobs } from './core/jobs.js';
import { labWire } from './lab_wire.js';
import { theServer } from './server.js';
import type { DetailsView } from './views/details.js';
import type { JobsView } from './views/jobs.js';
import type { Site } from './views/site.js';
import type { SubmitView } from './views/submit.js';

const OPEN = 'tapisjobs:open-jobs';
/** Drawn in the colour of Lab's other icons. */
const ICON = new LabIcon({
  name: 'jupyter-tapis-jobs:jobs',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" ' +
    'fill="#616161" d="M4 5h3v3H4zm5 0h11v3H9zM4 10.5h3v3H4zm5 0h7v3H9zM4 16h3v3H4zm5 0h11v3H9z"/></svg>'
});

/** The server of this page, and the one connection of its cards and views. */
function theSite(): Site {
  const wire = labWire();
  return { wire, client: new Client(wire), live: theServer().live };
}

/** Draws the view once it is seen for the first time, and lets it rest while it is hidden. */
class JobsWidget extends Widget {
  constructor() {
    super();
    this.addClass('tj-Host');
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this.draw();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    void this.draw();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.view?.show(false);
  }

  override dispose(): void {
    this.view?.dispose();
    super.dispose();
  }

  private async draw(): Promise<void> {
    if (!this.isVisible) {
      return;
    }
    // The grid is the largest part of the bundle: pages that never show it never load it.
    const { JobsView } = await import('./views/jobs.js');
    if (this.isDisposed) {
      return;
    }
    if (!this.view) {
      const site = theSite();
      const details = async (uuid: string): Promise<DetailsView> =>
        new (await import('./views/details.js')).DetailsView(site, uuid);
      const submit = async (open: (uuid: string) => void): Promise<SubmitView> =>
        new (await import('./views/submit.js')).SubmitView(site, { open });
      this.view = new JobsView(new Jobs(site.client, site.live), { details, submit });
      this.node.append(this.view.node);
    }
    this.view.show(this.isVisible);
  }

  private view: JobsView | null = null;
}

function main(): MainAreaWidget<JobsWidget> {
  const widget = new MainAreaWidget({ content: new JobsWidget() });
  widget.id = 'tapisjobs-main';
  widget.title.label = 'Tapis Jobs';
  widget.title.icon = ICON;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

function side(): JobsWidget {
  const widget = new JobsWidget();
  widget.id = 'tapisjobs-side';
  widget.title.icon = ICON;
  widget.title.caption = 'Tapis Jobs';
  widget.node.setAttribute('aria-label', 'Tapis Jobs');
  return widget;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:jobs',
  description: 'Shows the jobs of this server in a tab and in the sidebar.',
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null, restorer: ILayoutRestorer | null) => {
    const tracker = new WidgetTracker<MainAreaWidget<JobsWidget>>({ namespace: 'tapisjobs' });
    app.commands.addCommand(OPEN, {
      label: 'Tapis Jobs: Open the jobs',
      caption: 'Jobs with their states, live',
      icon: ICON,
      execute: async () => {
        const widget = tracker.currentWidget ?? main();
        if (!tracker.has(widget)) {
          await tracker.add(widget);
        }
        if (!widget.isAttached) {
          app.shell.add(widget, 'main');
        }
        app.shell.activateById(widget.id);
      }
    });
    palette?.addItem({ command: OPEN, category: 'Tapis Jobs' });
    const list = side();
    app.shell.add(list, 'left', { rank: 700 });
    restorer?.add(list, list.id);
    void restorer?.restore(tracker, { command: OPEN, name: () => 'jobs' });
  }
};

export default plugin;
