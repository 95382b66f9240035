/** Reaches a host: sends one request again and again, each time with the answer to what the host asked last. */

import { t } from './language.js';
import { list, text } from '../job.js';
import { RefusedError } from './client.js';

/** What goes along with a request, as far as the host has asked for it. */
export interface Answers {
  trust?: string;
  password?: string;
  passphrase?: string;
  code?: string;
  replace?: boolean;
}

export type Secret = 'password' | 'passphrase' | 'code';

/** What a person is asked: to trust a key, for a secret, or whether a system of this name is replaced. */
export type Asked =
  | { readonly kind: 'trust'; readonly fingerprint: string }
  | { readonly kind: 'secret'; readonly secret: Secret; readonly prompts: readonly string[]; readonly fault: string }
  | { readonly kind: 'replace'; readonly fault: string };

/** The answer: what was typed, '' for a plain yes; null where the person stops. */
export type Ask = (asked: Asked) => Promise<string | null>;

/** Wrong answers to one question; a site that sees many more may shut the door. */
const TRIES = 3;

/** What is asked after this refusal; null where nothing can be answered. A changed key is never a question. */
export function askedBy(fault: unknown, given: Answers): Asked | null {
  if (!(fault instanceof RefusedError)) {
    return null;
  }
  const { code, details, message, status } = fault;
  const wrong = (secret: Secret): string => (given[secret] ? message : '');
  const needs = text(details['needs']);
  if (code === 'JOBS_HOST_KEY' && !details['known'] && !given.trust) {
    return { kind: 'trust', fingerprint: text(details['fingerprint']) };
  }
  if (code === 'JOBS_HOST_CODE') {
    return { kind: 'secret', secret: 'code', prompts: list(details['prompts']).map(text), fault: wrong('code') };
  }
  if (code === 'JOBS_HOST_SIGN_IN' && (needs === 'password' || needs === 'passphrase')) {
    return { kind: 'secret', secret: needs, prompts: [], fault: wrong(needs) };
  }
  const isTaken = status === 409 && !code.startsWith('JOBS_HOST_') && !given.replace;
  return isTaken ? { kind: 'replace', fault: message } : null;
}

/** What `send` comes to in the end; null where the person stopped. Raises the refusal that nothing answers. */
export async function reached<T>(send: (given: Answers) => Promise<T>, ask: Ask): Promise<T | null> {
  const given: Answers = {};
  const tries = new Map<string, number>();
  for (;;) {
    try {
      return await send({ ...given });
    } catch (fault) {
      const asked = askedBy(fault, given);
      const about = asked?.kind === 'secret' ? asked.secret : (asked?.kind ?? '');
      tries.set(about, (tries.get(about) ?? 0) + 1);
      if (!asked || (tries.get(about) ?? 0) > TRIES) {
        throw fault;
      }
      const answer = await ask(asked);
      if (answer === null) {
        return null;
      }
      take(asked, answer, given);
    }
  }
}

function take(asked: Asked, answer: string, given: Answers): void {
  switch (asked.kind) {
    case 'trust':
      given.trust = asked.fingerprint;
      break;
    case 'replace':
      given.replace = true;
      break;
    case 'secret':
      // A code is good for one try only.
      delete given.code;
      given[asked.secret] = answer;
  }
}

/** What is wrong with a text that is to be a private key, '' where nothing is. */
export function keyFault(told: string): string {
  if (/^(ssh-|ecdsa-|sk-)/.test(told.trim())) {
    return t('This is the public half of the key. The private one is wanted: the file of the same name without .pub.');
  }
  return /-----BEGIN [A-Z ]*PRIVATE KEY/.test(told) ? '' : t("This is not a private key in OpenSSH's or PEM form. {code} makes one.", { code: '`ssh-keygen -f FILE`' });
}
