/** What a host asks before it lets one in: whether its key is trusted, a password, a one-time code. */

import type { Ask, Asked, Secret } from '../core/host_sign_in.js';
import { t } from '../core/language.js';
import { element } from '../dom.js';
import { printable } from '../words.js';
import type { Dialog } from './dialog.js';

function secretWords(secret: Secret): string {
  return { password: t('Password'), passphrase: t('Passphrase of the key'), code: t('One-time code') }[secret];
}

/** Asks in `dialog` for the host that is called `name`. */
export function asking(dialog: Dialog, name: () => string): Ask {
  return asked => {
    const host = printable(name());
    switch (asked.kind) {
      case 'trust':
        return dialog.ask(t('Trust the key of {host}?', { host }), trustWords(asked.fingerprint), t('Trust this key'));
      case 'replace':
        return dialog.ask(t('Replace system {host}?', { host }), [line(asked.fault), line(t('Jobs that ran there stay as they are.'))], t('Replace it'));
      case 'secret':
        return secret(dialog, host, asked);
    }
  };
}

function trustWords(fingerprint: string): Node[] {
  return [
    line(t('This host is new here. Compare the fingerprint of its key with the one that your site publishes:')),
    element('p', 'tj-Fingerprint', {}, element('code', '', {}, printable(fingerprint))),
    line(t('After a yes a host with another key is refused.'))
  ];
}

function secret(dialog: Dialog, host: string, { secret, prompts, fault }: Asked & { kind: 'secret' }): Promise<string | null> {
  const label = secretWords(secret);
  const entry = element('input', 'tj-Input', {
    type: secret === 'code' ? 'text' : 'password',
    'aria-label': label,
    placeholder: label,
    autocomplete: secret === 'code' ? 'one-time-code' : 'off',
    spellcheck: 'false',
    required: true
  });
  const said = prompts.map(printable).filter(words => words.trim()).join(' ');
  const body = [...(fault ? [line(`⚠ ${printable(fault)}`)] : []), ...(said ? [line(t('The host says: {words}', { words: said }))] : [])];
  return dialog.ask(t('{secret} for {host}', { secret: label, host }), body, t('Connect'), entry);
}

function line(words: string): HTMLElement {
  return element('p', 'tj-Words', {}, words);
}
