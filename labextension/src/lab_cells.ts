/** Code that a view gives goes into a cell of the notebook in front, or of a new one. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { cellsFor } from './core/cells.js';
import { RefusedError } from './core/client.js';
import { t } from './core/language.js';

export class Cells {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly notebooks: INotebookTracker
  ) {}

  /** The text of the cell that the person is in; null where there is none. */
  get current(): string | null {
    const content = this.notebooks.currentWidget?.content;
    return content?.model?.sharedModel.cells[content.activeCellIndex]?.getSource() ?? null;
  }

  /** Put `code` into a new cell below the current one, which is used itself while it is empty; nothing is run. */
  async insert(code: string): Promise<void> {
    const notebook = this.notebooks.currentWidget ?? (await this.made());
    await notebook.context.ready;
    const { content } = notebook;
    const shared = content.model?.sharedModel;
    if (!shared || notebook.context.contentsModel?.writable === false) {
      throw new RefusedError(409, t('The notebook in front cannot be written.'));
    }
    const sources = cellsFor(code, shared.cells.map(cell => cell.getSource()));
    const here = shared.cells[content.activeCellIndex];
    if (here?.cell_type === 'code' && !here.getSource().trim()) {
      here.setSource(sources.shift() as string);
    }
    for (const source of sources) {
      const below = shared.cells.length ? content.activeCellIndex + 1 : 0;
      shared.insertCell(below, { cell_type: 'code', source, metadata: { trusted: true } });
      content.activeCellIndex = below;
    }
    this.app.shell.activateById(notebook.id);
    content.mode = 'edit';
  }

  private async made(): Promise<NotebookPanel> {
    const { kernelspecs } = this.app.serviceManager;
    await kernelspecs.ready;
    const kernelName = kernelspecs.specs?.default;
    const made: unknown = await this.app.commands.execute('notebook:create-new', { ...(kernelName && { kernelName }) });
    const notebook = (made as NotebookPanel | undefined) ?? this.notebooks.currentWidget;
    if (!notebook) {
      throw new RefusedError(409, t('No notebook is open: open one, then try again.'));
    }
    return notebook;
  }
}
