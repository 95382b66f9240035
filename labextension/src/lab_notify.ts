/** Lab's notifications when jobs end, as the settings want them. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Client } from './core/client.js';
import { Endings, type Ending } from './core/endings.js';
import { t } from './core/language.js';
import { isQuiet } from './core/quiet.js';
import { Studies } from './core/studies.js';
import { commandOf } from './lab_commands.js';
import { labWire } from './lab_wire.js';
import { text } from './job.js';
import { theServer } from './server.js';
import { later } from './views/site.js';

const ID = 'jupyter-tapis-jobs:notify';
/** Milliseconds for which a notification is seen; it stays in Lab's list of them. */
const SEEN = 8000;

type Setting = (name: string) => unknown;

export const notify: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells when jobs and studies have ended.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (app: JupyterFrontEnd, registry: ISettingRegistry) => {
    const settings = await registry.load(ID);
    const setting: Setting = name => settings.get(name).composite;
    let endings: Endings | null = null;
    const follow = (): void => {
      const isWanted = setting('notifications') !== 'none';
      if (isWanted && !endings) {
        endings = begin(app, setting);
      } else if (!isWanted) {
        endings?.stop();
        endings = null;
      }
    };
    settings.changed.connect(follow);
    follow();
  }
};

function begin(app: JupyterFrontEnd, setting: Setting): Endings {
  const server = theServer();
  const studies = new Studies(new Client(labWire()), server.live);
  let user: Promise<string> | null = null;
  const owner = (): Promise<string> => {
    user ??= server.facts().then(facts => facts.user).catch(fault => {
      user = null;
      throw fault;
    });
    return user;
  };
  const wishes = (): { shortest: number; failuresOnly: boolean } => ({
    shortest: Number(setting('shortestSeconds')) || 0,
    failuresOnly: setting('notifications') === 'failures'
  });
  return new Endings(server.live, () => studies.list(), owner, wishes, ending => tell(app, setting, ending), later);
}

function tell({ commands }: JupyterFrontEnd, setting: Setting, { words, isBad, uuid, study }: Ending): void {
  const isSilent = isQuiet(text(setting('quietFrom')), text(setting('quietUntil')), new Date());
  const show = (): void => void commands.execute(commandOf(study === undefined ? 'Jobs' : 'Studies'), { ...(uuid && { uuid }) });
  Notification.emit(words, isBad ? 'error' : 'success', {
    // 0: it is kept in the list of notifications, and not shown by itself.
    autoClose: isSilent ? 0 : SEEN,
    actions: [{ label: t('Show'), callback: show }]
  });
}
