/** Lets somebody read parts of the chosen jobs, or takes that back: a small form in the place of a question. */

import type { Jobs } from '../core/jobs.js';
import { t } from '../core/language.js';
import { button, element } from '../dom.js';
import type { Bulk } from './bulk.js';
import { jobsOf, type Deed } from './deeds.js';

/** What of a job can be shared, and whether it is at first. */
const PARTS: readonly (readonly [string, string, boolean])[] = [
  ['JOB_HISTORY', 'state and history', true],
  ['JOB_OUTPUT', 'outputs', true],
  ['JOB_INPUT', 'inputs', false],
  ['JOB_RESUBMIT_REQUEST', 'request', false]
];

export function askToShare(bulk: Bulk, jobs: Jobs, uuids: string[]): void {
  if (!uuids.length) {
    return;
  }
  const whom = element('input', 'tj-Entry', { type: 'text', required: true, spellcheck: 'false', autocomplete: 'off' });
  const boxes = PARTS.map(([part, words, isOn]) => {
    const box = element('input', '', { type: 'checkbox', value: part });
    box.checked = isOn;
    return { box, label: element('label', 'tj-Choice', {}, box, ` ${t(words)}`) };
  });
  const which = { jobs: jobsOf(uuids.length), names: bulk.which(uuids) };
  const form = element('form', 'tj-Share', {},
    element('label', '', {}, `${t('Let somebody read of {jobs} ({names}): user', which)} `, whom),
    ...boxes.map(({ label }) => label)
  );
  const take = button('Take back', 'Nothing of these jobs is shared with the user any more', () => {
    if (form.reportValidity() && user()) {
      const whose = { user: user() };
      done(t('Taking back from {user}', whose), step => jobs.unshare(uuids, whose.user, step), counts =>
        t('{good} of {all} are no more shared with {user}.', { ...counts, ...whose })
      );
    }
  });
  form.append(
    element('button', 'tj-Button', { type: 'submit', title: 'Share the ticked parts with the user' }, t('Share')),
    take,
    button('Close', 'Share nothing', () => bulk.close())
  );
  const user = (): string => whom.value.trim();
  const done = (doing: string, run: (step: (done: number) => void) => ReturnType<Jobs['share']>, told: Deed['done']): void => {
    bulk.close();
    void bulk.run({ label: '', title: '', doing, run: (_, step) => run(step), done: told }, uuids);
  };
  form.addEventListener('submit', event => {
    event.preventDefault();
    const parts = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    if (user() && parts.length) {
      const whose = { user: user() };
      done(t('Sharing with {user}', whose), step => jobs.share(uuids, whose.user, parts, step), counts =>
        t('{good} of {all} are shared with {user}.', { ...counts, ...whose })
      );
    } else {
      whom.focus();
    }
  });
  form.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      bulk.close();
    }
  });
  bulk.put(t('Share jobs'), form);
  whom.focus();
}
