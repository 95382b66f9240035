/** Lets somebody read parts of the chosen jobs, or takes that back: a small form in the place of a question. */

import type { Jobs } from '../core/jobs.js';
import { button, element } from '../dom.js';
import type { Bulk } from './bulk.js';
import { jobsOf } from './deeds.js';

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
    return { box, label: element('label', 'tj-Choice', {}, box, ` ${words}`) };
  });
  const form = element('form', 'tj-Share', {},
    element('label', '', {}, `Let somebody read of ${jobsOf(uuids.length)} (${bulk.which(uuids)}): user `, whom),
    ...boxes.map(({ label }) => label)
  );
  const take = button('Take back', 'Nothing of these jobs is shared with the user any more', () => {
    if (form.reportValidity() && user()) {
      done(`Taking back from ${user()}`, step => jobs.unshare(uuids, user(), step), 'no more shared');
    }
  });
  form.append(
    element('button', 'tj-Button', { type: 'submit', title: 'Share the ticked parts with the user' }, 'Share'),
    take,
    button('Close', 'Share nothing', () => bulk.close())
  );
  const user = (): string => whom.value.trim();
  const done = (doing: string, run: (step: (done: number) => void) => ReturnType<Jobs['share']>, words: string): void => {
    bulk.close();
    const told = `with ${user()}`;
    void bulk.run(
      { label: '', title: '', doing, run: (_, step) => run(step), done: (good, all) => `${good} of ${all} are ${words} ${told}.` },
      uuids
    );
  };
  form.addEventListener('submit', event => {
    event.preventDefault();
    const parts = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    if (user() && parts.length) {
      done(`Sharing with ${user()}`, step => jobs.share(uuids, user(), parts, step), 'shared');
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
  bulk.put('Share jobs', form);
  whom.focus();
}
