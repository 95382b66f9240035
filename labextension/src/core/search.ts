/** What the grid asks for: a filter and an order in the words of the Jobs API. */

import { conditions, type ColumnFilters } from './column_filters.js';

/** Groups of statuses that one chip stands for, in the order of a job's life. */
export const GROUPS: readonly Group[] = [
  { name: 'accepted', status: 'PENDING', statuses: ['PENDING', 'PROCESSING_INPUTS'] },
  { name: 'staging', status: 'STAGING_INPUTS', statuses: ['STAGING_INPUTS', 'STAGING_JOB'] },
  { name: 'queued', status: 'QUEUED', statuses: ['SUBMITTING_JOB', 'QUEUED'] },
  { name: 'running', status: 'RUNNING', statuses: ['RUNNING'] },
  { name: 'archiving', status: 'ARCHIVING', statuses: ['ARCHIVING'] },
  { name: 'paused', status: 'PAUSED', statuses: ['PAUSED'] },
  { name: 'blocked', status: 'BLOCKED', statuses: ['BLOCKED'] },
  { name: 'failed', status: 'FAILED', statuses: ['FAILED'] },
  { name: 'cancelled', status: 'CANCELLED', statuses: ['CANCELLED'] },
  { name: 'finished', status: 'FINISHED', statuses: ['FINISHED'] }
];

export interface Group {
  name: string;
  /** The status that lends its glyph and colour. */
  status: string;
  statuses: readonly string[];
}

export interface Filter {
  /** Words that are all found in name, uuid, app, system or the scheduler's number. */
  text: string;
  /** Names of groups; none means all. */
  groups: ReadonlySet<string>;
  /** Jobs that were hidden, too. */
  isHiddenToo: boolean;
  /** Jobs that others share, too. */
  isSharedToo: boolean;
  /** `cohortId` of the one study whose jobs are looked at; '' for all jobs. */
  study: string;
  columns: ColumnFilters;
}

export const EVERYTHING: Filter = { text: '', groups: new Set(), isHiddenToo: false, isSharedToo: false, study: '', columns: {} };

export interface Order {
  column: string;
  isDown: boolean;
}

/** The WHERE clause of the states; '' for all. Words are a parameter of their own. */
export function clause({ groups }: Pick<Filter, 'groups'>): string {
  const statuses = GROUPS.filter(group => groups.has(group.name)).flatMap(group => group.statuses);
  return statuses.length ? `status IN (${statuses.map(status => `'${status}'`).join(', ')})` : '';
}

/** Which jobs are looked at, beside their states, as parameters of a search. */
export function parameters({ text, isHiddenToo, isSharedToo, study, columns }: Filter): Parameters {
  return {
    text: text || null,
    ...(isHiddenToo && { includeHidden: true }),
    ...(isSharedToo && { listType: 'ALL_JOBS' as const }),
    // Conditions are parameters of any name, which the types of the calls do not have.
    ...({ ...conditions(columns), ...(study && { 'cohortId.eq': study }) } as object)
  };
}

interface Parameters {
  text: string | null;
  includeHidden?: boolean;
  listType?: 'ALL_JOBS';
}

/** True where some jobs may be left out. */
export function isNarrow({ text, groups, study, columns }: Filter): boolean {
  return text !== '' || groups.size > 0 || study !== '' || Object.keys(columns).length > 0;
}

/** How many jobs stand in each group, from how many have each status. */
export function grouped(counts: Readonly<Record<string, number>>): Map<string, number> {
  return new Map(GROUPS.map(({ name, statuses }) => [name, statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0)]));
}

/** `orderBy`; the newest first where nothing is chosen. */
export function orderBy(orders: readonly Order[]): string {
  const chosen = orders.map(({ column, isDown }) => `${column}(${isDown ? 'desc' : 'asc'})`);
  return chosen.join(',') || 'created(desc)';
}
