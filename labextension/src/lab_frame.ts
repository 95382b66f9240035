/** Jobs, studies, systems, apps and the form in Lab: a tab in the main area and a narrow one in the sidebar. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { FIRST } from './core/cells.js';
import { Client } from './core/client.js';
import { minded, signInWords } from './core/condition.js';
import { t } from './core/language.js';
import { Cells } from './lab_cells.js';
import { COMMANDS, commandOf } from './lab_commands.js';
import { filesOf, type OpenFile } from './lab_files.js';
import { useLanguage } from './lab_language.js';
import { labWire } from './lab_wire.js';
import { theServer } from './server.js';
import { ConditionBar } from './views/condition.js';
import { Frame, PLACES, type FrameHost } from './views/frame.js';
import type { Site } from './views/site.js';

/** Drawn in the colour of Lab's other icons. */
export const ICON = new LabIcon({
  name: 'jupyter-tapis-jobs:jobs',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" ' +
    'fill="#616161" d="M4 5h3v3H4zm5 0h11v3H9zM4 10.5h3v3H4zm5 0h7v3H9zM4 16h3v3H4zm5 0h11v3H9z"/></svg>'
});

/** The server of this page, the one connection of its cards and views, and the notebook in front. */
function theSite(cells: Cells | null, openFile: OpenFile, bar: ConditionBar): Site {
  const wire = minded(labWire(), isSignedOut => bar.state('signedOut', signInWords(isSignedOut)));
  const insertCode = (code: string): Promise<void> | void => cells?.insert(code);
  return { wire, client: new Client(wire), live: theServer().live, openFile, ...(cells && { insertCode }) };
}

/** Lets the frame rest while the tab is hidden. */
class FrameWidget extends Widget {
  constructor(cells: Cells | null, openFile: OpenFile, host: FrameHost = {}) {
    super();
    this.addClass('tj-Host');
    const insertFirstCell = (): void => void cells?.insert(FIRST);
    const bar = new ConditionBar();
    this.frame = new Frame(theSite(cells, openFile, bar), { ...host, ...(cells && { insertFirstCell }) });
    this.node.append(bar.node, this.frame.node);
  }

  readonly frame: Frame;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.frame.show(this.isVisible);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.frame.show(this.isVisible);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.frame.show(false);
  }

  override dispose(): void {
    this.frame.dispose();
    super.dispose();
  }
}

function main(cells: Cells | null, openFile: OpenFile, host: FrameHost): MainAreaWidget<FrameWidget> {
  const widget = new MainAreaWidget({ content: new FrameWidget(cells, openFile, host) });
  widget.id = 'tapisjobs-main';
  widget.title.label = 'Tapis Jobs';
  widget.title.icon = ICON;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

function side(cells: Cells | null, openFile: OpenFile): FrameWidget {
  const widget = new FrameWidget(cells, openFile);
  widget.id = 'tapisjobs-side';
  widget.title.icon = ICON;
  widget.title.caption = 'Tapis Jobs';
  widget.node.setAttribute('aria-label', 'Tapis Jobs');
  return widget;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:jobs',
  description: 'Shows jobs, studies, systems and apps in a tab and in the sidebar.',
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer, INotebookTracker, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ) => {
    useLanguage(translator);
    const cells = notebooks && new Cells(app, notebooks);
    const openFile = filesOf(app, notebooks);
    const tracker = new WidgetTracker<MainAreaWidget<FrameWidget>>({ namespace: 'tapisjobs' });
    for (const place of PLACES) {
      const [label, caption] = COMMANDS[place];
      app.commands.addCommand(commandOf(place), {
        label: ({ isLauncher }) => (isLauncher ? 'Tapis Jobs' : `Tapis Jobs: ${t(label)}`),
        caption: t(caption),
        icon: ICON,
        execute: async ({ place: left, uuid, code }) => {
          // A page that is loaded again opens at the place where it was left.
          const went = (): void => void (tracker.currentWidget && tracker.save(tracker.currentWidget));
          const widget = tracker.currentWidget ?? main(cells, openFile, { went });
          widget.content.frame.go(PLACES.find(name => name === left) ?? place);
          if (!tracker.has(widget)) {
            await tracker.add(widget);
          }
          if (!widget.isAttached) {
            app.shell.add(widget, 'main');
          }
          app.shell.activateById(widget.id);
          if (typeof uuid === 'string') {
            await widget.content.frame.openJob(uuid);
          }
          if (typeof code === 'string') {
            await widget.content.frame.openCode(code);
          }
        }
      });
      palette?.addItem({ command: commandOf(place), category: 'Tapis Jobs' });
    }
    launcher?.add({ command: commandOf('Jobs'), category: 'Other', rank: 40, args: { isLauncher: true } });
    const list = side(cells, openFile);
    app.shell.add(list, 'left', { rank: 700 });
    restorer?.add(list, list.id);
    void restorer?.restore(tracker, {
      command: commandOf('Jobs'),
      args: widget => ({ place: widget.content.frame.place }),
      name: () => 'jobs'
    });
  }
};

export default plugin;
