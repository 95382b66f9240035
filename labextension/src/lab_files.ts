/** Opens a job's file in Lab's own viewer: a copy of it, in a folder of the job beside the notebook in front. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';

import { copyInto, type Contents } from './core/copies.js';

/** Copy `file` and open the copy; its path among Lab's files. */
export type OpenFile = (uuid: string, name: string, file: Blob) => Promise<string>;

export function filesOf(app: JupyterFrontEnd, notebooks: INotebookTracker | null): OpenFile {
  return async (uuid, name, file) => {
    const notebook = notebooks?.currentWidget?.context.path ?? '';
    const folder = [...notebook.split('/').slice(0, -1), `jobs-${uuid}`].join('/');
    const path = await copyInto(app.serviceManager.contents as Contents, folder, name, file);
    await app.commands.execute('docmanager:open', { path });
    return path;
  };
}
