/** What the extension adds to Lab: the jobs, studies, systems and apps, and a command that tells about the server's job engine. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { t } from './core/language.js';
import { element } from './dom.js';
import { text } from './job.js';
import cellForm from './lab_cell_form.js';
import jobs from './lab_frame.js';
import { highlight } from './lab_highlight.js';
import { notify } from './lab_notify.js';
import { status } from './lab_status.js';
import { RefusedError, theServer } from './server.js';

const ABOUT = 'tapisjobs:about';

async function showAbout(): Promise<void> {
  const body = new Widget({ node: element('div', 'tj-About') });
  try {
    const { version, user, engine } = await theServer().facts();
    const facts: [string, string][] = [
      [t('Version'), version],
      [t('You are'), user],
      [t('Job engine'), text(engine['state']) || t('unknown')]
    ];
    const rows = facts.flatMap(([name, value]) => [element('dt', '', {}, name), element('dd', '', {}, value)]);
    body.node.append(element('dl', 'tj-AboutFacts', {}, ...rows));
  } catch (fault) {
    const told = fault instanceof RefusedError ? fault.message : t('The server does not answer.');
    body.node.append(element('p', '', {}, told));
  }
  await showDialog({ title: t('Tapis Jobs on this server'), body, buttons: [Dialog.okButton({ label: t('Close') })] });
}

const about: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:about',
  description: 'Shows the version and state of the job engine in this server.',
  autoStart: true,
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null) => {
    app.commands.addCommand(ABOUT, { label: `Tapis Jobs: ${t('About this server')}`, execute: showAbout });
    palette?.addItem({ command: ABOUT, category: 'Tapis Jobs' });
  }
};

export default [about, jobs, cellForm, status, notify, highlight];
