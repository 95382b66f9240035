/** A command that shows the `%%tapisjob` cell one is in as a form. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';

import { isJob } from './core/cells.js';
import { t } from './core/language.js';
import { Cells } from './lab_cells.js';

const COMMAND = 'tapisjobs:open-cell';
const SUBMIT = 'tapisjobs:submit';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:cell-form',
  description: 'Opens the cell one is in as a form.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker, palette: ICommandPalette | null) => {
    const cells = new Cells(app, notebooks);
    const isHere = (): boolean => isJob(cells.current ?? '');
    app.commands.addCommand(COMMAND, {
      label: ({ isMenu }) => (isMenu ? t('Open in the Form of Its App') : `Tapis Jobs: ${t('Open the cell in the form')}`),
      caption: () => t('Show the job of this cell as a form'),
      isEnabled: isHere,
      isVisible: ({ isMenu }) => !isMenu || isHere(),
      execute: async () => void (await app.commands.execute(SUBMIT, { code: cells.current ?? '' }))
    });
    palette?.addItem({ command: COMMAND, category: 'Tapis Jobs' });
    app.contextMenu.addItem({ command: COMMAND, args: { isMenu: true }, selector: '.jp-Notebook .jp-CodeCell', rank: 11 });
  }
};

export default plugin;
