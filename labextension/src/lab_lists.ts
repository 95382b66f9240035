/** Studies, systems and apps in Lab: each a tab in the main area that a command opens. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Client } from './core/client.js';
import { labWire } from './lab_wire.js';
import { theServer } from './server.js';
import type { DetailsView } from './views/details.js';
import type { Site } from './views/site.js';

/** What a tab shows. */
interface View {
  readonly node: HTMLElement;
  show(isShown: boolean): void;
  dispose(): void;
}

interface Place {
  readonly name: string;
  readonly label: string;
  readonly caption: string;
  make(site: Site): Promise<View>;
}

const PLACES: readonly Place[] = [
  { name: 'studies', label: 'Tapis Studies', caption: 'Studies with their cases, live', make: studies },
  { name: 'systems', label: 'Tapis Systems', caption: 'Hosts with their connections, queues and runtimes',
    make: async site => new (await import('./views/systems.js')).SystemsView(site.client) },
  { name: 'apps', label: 'Tapis Apps', caption: 'The apps that jobs may use',
    make: async site => new (await import('./views/apps.js')).AppsView(site.client) }
];

async function studies(site: Site): Promise<View> {
  const details = async (uuid: string): Promise<DetailsView> =>
    new (await import('./views/details.js')).DetailsView(site, uuid);
  return new (await import('./views/studies.js')).StudiesView(site, { details });
}

/** Draws its view once it is seen for the first time, and lets it rest while it is hidden. */
class PlaceWidget extends Widget {
  constructor(private readonly place: Place) {
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
    const wire = labWire();
    this.making ??= this.place.make({ wire, client: new Client(wire), live: theServer().live });
    const view = await this.making;
    if (this.isDisposed) {
      view.dispose();
      return;
    }
    if (!this.view) {
      this.view = view;
      this.node.append(view.node);
    }
    view.show(this.isVisible);
  }

  private making: Promise<View> | null = null;
  private view: View | null = null;
}

function tab(place: Place): MainAreaWidget<PlaceWidget> {
  const widget = new MainAreaWidget({ content: new PlaceWidget(place) });
  widget.id = `tapisjobs-${place.name}`;
  widget.title.label = place.label;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:lists',
  description: 'Shows studies, systems and apps in tabs.',
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null, restorer: ILayoutRestorer | null) => {
    for (const place of PLACES) {
      const command = `tapisjobs:open-${place.name}`;
      const tracker = new WidgetTracker<MainAreaWidget<PlaceWidget>>({ namespace: `tapisjobs-${place.name}` });
      app.commands.addCommand(command, {
        label: `Tapis Jobs: Open the ${place.name}`,
        caption: place.caption,
        execute: async () => {
          const widget = tracker.currentWidget ?? tab(place);
          if (!tracker.has(widget)) {
            await tracker.add(widget);
          }
          if (!widget.isAttached) {
            app.shell.add(widget, 'main');
          }
          app.shell.activateById(widget.id);
        }
      });
      palette?.addItem({ command, category: 'Tapis Jobs' });
      void restorer?.restore(tracker, { command, name: () => place.name });
    }
  }
};

export default plugin;
