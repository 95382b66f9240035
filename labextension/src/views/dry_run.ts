/** What a request would become: where and how it runs, what it may cost, warnings and the script. */

import type { Validated } from '../core/api.js';
import { t, tn } from '../core/language.js';
import { element } from '../dom.js';
import { record, text, type JobRow } from '../job.js';
import { place, printable } from '../words.js';

/** `at most 2.0 node-hours (2 nodes for 60 min), 112.0 core-hours`; empty where the size is not known. */
export function cost(job: JobRow): string {
  const { nodeCount: nodes, coresPerNode: cores, maxMinutes: minutes } = job;
  // While one types these may be no numbers.
  if (!nodes || !minutes || !(nodes > 0 && minutes > 0)) {
    return '';
  }
  const hours = (nodes * minutes) / 60;
  const size = tn('{count} node for {minutes} min', '{count} nodes for {minutes} min', nodes, { minutes });
  const most = t('at most {hours} node-hours ({size})', { hours: told(hours), size });
  return Number(cores) > 0 ? `${most}, ${t('{hours} core-hours', { hours: told(hours * Number(cores)) })}` : most;
}

function told(hours: number): string {
  const digits = hours < 10 ? 2 : 1;
  return hours.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function dryRun({ job, script, environment, warnings }: Validated): HTMLElement {
  const row = record(job) as JobRow;
  const facts: [string, string][] = [
    [t('Runs on'), place(row)],
    [t('Costs'), cost(row)],
    [t('Directory'), text(job['execSystemExecDir'])],
    [t('Archived to'), [job['archiveSystemId'], job['archiveSystemDir']].map(text).filter(Boolean).join(':')]
  ];
  const rows = facts.filter(([, words]) => words).flatMap(([name, words]) => [
    element('dt', '', {}, name), element('dd', '', {}, printable(words))
  ]);
  return element(
    'section', 'tj-DryRun', { 'aria-label': 'Dry run' },
    element('p', 'tj-Words', {}, `✓ ${t('This would be accepted. Nothing has been submitted.')}`),
    ...warnings.map(words => element('p', 'tj-Warning', {}, `⚠ ${printable(words)}`)),
    element('dl', 'tj-Facts', {}, ...rows),
    folded(t('Script'), script),
    folded(t('Environment'), environment)
  );
}

function folded(title: string, told: string): HTMLElement {
  return element('details', 'tj-Folded', {}, element('summary', '', {}, title), element('pre', 'tj-Text', { tabindex: '0' }, told));
}
