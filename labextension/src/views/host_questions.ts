/** What a host asks before it lets one in: whether its key is trusted, a password, a one-time code. */

import type { Ask, Asked, Secret } from '../core/host_sign_in.js';
import { element } from '../dom.js';
import { printable } from '../words.js';
import type { Dialog } from './dialog.js';

const SECRETS: Readonly<Record<Secret, string>> = {
  password: 'Password',
  passphrase: 'Passphrase of the key',
  code: 'One-time code'
};

/** Asks in `dialog` for the host that is called `name`. */
export function asking(dialog: Dialog, name: () => string): Ask {
  return asked => {
    const host = printable(name());
    switch (asked.kind) {
      case 'trust':
        return dialog.ask(`Trust the key of ${host}?`, trustWords(asked.fingerprint), 'Trust this key');
      case 'replace':
        return dialog.ask(`Replace system ${host}?`, [line(asked.fault), line('Jobs that ran there stay as they are.')], 'Replace it');
      case 'secret':
        return secret(dialog, host, asked);
    }
  };
}

function trustWords(fingerprint: string): Node[] {
  return [
    line('This host is new here. Compare the fingerprint of its key with the one that your site publishes:'),
    element('p', 'tj-Fingerprint', {}, element('code', '', {}, printable(fingerprint))),
    line('After a yes a host with another key is refused.')
  ];
}

function secret(dialog: Dialog, host: string, { secret, prompts, fault }: Asked & { kind: 'secret' }): Promise<string | null> {
  const label = SECRETS[secret];
  const entry = element('input', 'tj-Input', {
    type: secret === 'code' ? 'text' : 'password',
    'aria-label': label,
    placeholder: label,
    autocomplete: secret === 'code' ? 'one-time-code' : 'off',
    spellcheck: 'false',
    required: true
  });
  const said = prompts.map(printable).filter(words => words.trim()).join(' ');
  const body = [...(fault ? [line(`⚠ ${printable(fault)}`)] : []), ...(said ? [line(`The host says: ${said}`)] : [])];
  return dialog.ask(`${label} for ${host}`, body, 'Connect', entry);
}

function line(words: string): HTMLElement {
  return element('p', 'tj-Words', {}, words);
}
