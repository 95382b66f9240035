/** A form that adds a host: where it is, who one is there, and a key where the server's own do not open it. */

import type { HostReport, NewHost } from '../core/api.js';
import { told } from '../core/client.js';
import { keyFault, reached, type Answers, type Ask } from '../core/host_sign_in.js';
import { t } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { printable } from '../words.js';
import { Field } from './field.js';

export interface AddHostGiven {
  add(host: NewHost): Promise<HostReport>;
  ask: Ask;
  /** There is one more. */
  added(): void;
}

const NAME = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._~\\-]*$', maxLength: 80 };
const PORT = { type: 'integer', minimum: 1, maximum: 65535 };

export class AddHost {
  readonly node = element('form', 'tj-AddHost', { 'aria-label': 'Add a host', novalidate: true, hidden: true });

  constructor(private readonly given: AddHostGiven) {
    const part = (name: string, rules: Record<string, unknown>, isNeeded = false): Field =>
      new Field({ name, rules, isNeeded, changed: () => this.say('') });
    this.fields = {
      id: part(t('Name'), { ...NAME, description: t('What jobs call it: letters, digits, . _ - ~') }, true),
      host: part(t('Host'), { type: 'string', description: t('Name or address, or a Host of ~/.ssh/config on the server') }, true),
      user: part(t('User'), { type: 'string', description: t('Your name there; as here where nothing stands') }),
      port: part(t('Port'), { ...PORT, description: t('22 where nothing stands here') }),
      keyFile: part(t('Key file on the server'), { type: 'string', examples: ['~/.ssh/id_ed25519'] }),
      jobWorkingDir: part(t('Folder for jobs'), { type: 'string', description: t('Below $SCRATCH or the home where nothing stands here') })
    };
    const { id, host, user, port, keyFile, jobWorkingDir } = this.fields;
    const file = element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, t('Key file of this computer')), this.key);
    const more = element('details', 'tj-Folded', {}, element('summary', '', {}, t('Key, port and folder')), file,
      element('p', 'tj-FormHelp', {}, t("Without a key those of the server's own user are tried. What the host asks for is asked here.")),
      keyFile.node, port.node, jobWorkingDir.node);
    this.node.append(element('h3', 'tj-Title', {}, t('Add a host')), id.node, host.node, user.node, more, element('div', 'tj-Bar', {}, this.send, this.stop), this.note);
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      void this.add();
    });
    show(this.note, false);
  }

  /** What the host is to be called. */
  get name(): string {
    return String(this.fields.id.value ?? '');
  }

  open(): void {
    this.say('');
    show(this.node, true);
    this.fields.id.focus();
  }

  private async add(): Promise<void> {
    const wrong = Object.values(this.fields).filter(field => field.check() !== '');
    if (wrong.length || this.send.disabled) {
      wrong[0]?.focus();
      return;
    }
    this.send.disabled = true;
    try {
      const host = await this.host();
      this.say(t('Connecting to {host} …', { host: host.host }));
      const report = await reached((answers: Answers) => this.given.add({ ...host, ...answers }), this.given.ask);
      this.say(report ? [t('{host} is ready.', { host: host.id }), ...report.lines, ...report.warnings.map(words => `⚠ ${words}`)].join('\n') : t('Stopped; nothing was added.'));
      if (report) {
        this.key.value = '';
        this.given.added();
      }
    } catch (fault) {
      this.say(`⚠ ${fault instanceof UnfitKey ? fault.message : told(fault)}`);
    }
    this.send.disabled = false;
  }

  /** What stands in the form. */
  private async host(): Promise<NewHost> {
    const found = Object.fromEntries(
      Object.entries(this.fields).flatMap(([name, { value }]) => (value === undefined || value === '' ? [] : [[name, value]]))
    );
    const [file] = this.key.files ?? [];
    if (file) {
      const privateKey = await file.text();
      if (keyFault(privateKey)) {
        throw new UnfitKey(`${file.name}: ${keyFault(privateKey)}`);
      }
      found['privateKey'] = privateKey;
    }
    return found as unknown as NewHost;
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  private readonly fields: Readonly<Record<'id' | 'host' | 'user' | 'port' | 'keyFile' | 'jobWorkingDir', Field>>;
  private readonly key = element('input', 'tj-Input', { type: 'file' });
  private readonly send = element('button', 'tj-Button tj-mod-main', { type: 'submit' }, t('Connect'));
  private readonly stop = button('Close', 'Put the form away', () => show(this.node, false));
  private readonly note = element('p', 'tj-Note', { role: 'status' });
}

class UnfitKey extends Error {}
