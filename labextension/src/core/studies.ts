/** Studies as the views need them: how many cases stand where, the cases themselves, and why some failed. */

import { isTerminal, record, text } from '../job.js';
import type { AddedCases, StudyRow } from './api.js';
import type { Client } from './client.js';
import type { News } from './jobs.js';
import { GROUPS, type Group } from './search.js';

/** A case by its last attempt. */
export interface CaseState {
  readonly id: string;
  /** Column -> value, as the case was given. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly jobUuid: string;
  readonly status: string;
  readonly condition: string;
  readonly exitCode: number | null;
  /** Seconds in the queue and of running, of what is over. */
  readonly queueSeconds: number | null;
  readonly runSeconds: number | null;
}

/** Failed cases that ended in the same way. */
export interface FailedCases {
  readonly condition: string;
  readonly exitCode: number | null;
  readonly cases: readonly CaseState[];
}

export class Studies {
  constructor(
    private readonly client: Client,
    readonly live: News
  ) {}

  /** One's own studies that are not put away, newest first. */
  async list(): Promise<StudyRow[]> {
    return (await this.client.call('GET /v3/tapisjobs/studies', { query: { archived: false } })).result;
  }

  /** The cases of a study, in their order. */
  async cases(name: string): Promise<CaseState[]> {
    const { result } = await this.client.call('GET /v3/tapisjobs/studies/{name}/frame', { path: { name } });
    return casesOf(result);
  }

  /** Give cases another attempt, with what is to be different in their requests. */
  async retry(name: string, caseIds: string[], changes: Record<string, unknown>): Promise<AddedCases> {
    const route = 'POST /v3/tapisjobs/studies/{name}/retry';
    return (await this.client.call(route, { path: { name }, body: { caseIds, changes } })).result;
  }

  /** Ask all cases that are on their way to end; the answer is a sentence. */
  async cancel(name: string): Promise<string> {
    return (await this.client.call('POST /v3/tapisjobs/studies/{name}/cancel', { path: { name } })).result.message;
  }
}

/** The cases in a table of columns. */
export function casesOf(frame: Readonly<Record<string, readonly unknown[]>>): CaseState[] {
  const column = (name: string, row: number): unknown => frame[name]?.[row] ?? null;
  const number = (name: string, row: number): number | null => {
    const value = column(name, row);
    return typeof value === 'number' ? value : null;
  };
  return (frame['caseId'] ?? []).map((id, row) => ({
    id: text(id),
    parameters: record(column('parameters', row)),
    jobUuid: text(column('jobUuid', row)),
    status: text(column('status', row)),
    condition: text(column('condition', row)),
    exitCode: number('exitCode', row),
    queueSeconds: number('queueSeconds', row),
    runSeconds: number('runSeconds', row)
  }));
}

/** Characters of a case's parameters that are shown. */
const TOLD = 80;

/** A case as its owner knows it: `k 13, damping 0.02`; its id where it has no parameters. */
export function caseName({ id, parameters }: CaseState): string {
  const told = Object.entries(parameters).map(([name, value]) => `${name} ${text(value)}`).join(', ');
  return told.length > TOLD ? `${told.slice(0, TOLD)}…` : told || id;
}

/** A number of cases in the states of one group. */
export interface Share {
  readonly group: Group;
  readonly count: number;
}

/** The groups of states that any case is in, the ended ones first, as a bar shows them. */
export function shares(counts: Readonly<Record<string, number>>): Share[] {
  const found = GROUPS.map(group => ({ group, count: group.statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0) }));
  return found.filter(({ count }) => count > 0).reverse();
}

/** How many cases have come to an end, well or not. */
export function ended(counts: Readonly<Record<string, number>>): number {
  return Object.entries(counts).reduce((sum, [status, count]) => sum + (isTerminal(status) ? count : 0), 0);
}

/** Failed cases put together by condition and exit code, the largest group first. */
export function failedCases(cases: readonly CaseState[]): FailedCases[] {
  const groups = new Map<string, CaseState[]>();
  for (const each of cases.filter(({ status }) => status === 'FAILED')) {
    const key = JSON.stringify([each.condition, each.exitCode]);
    const members = groups.get(key);
    if (members) {
      members.push(each);
    } else {
      groups.set(key, [each]);
    }
  }
  return [...groups.values()]
    .map(members => ({ condition: members[0]?.condition ?? '', exitCode: members[0]?.exitCode ?? null, cases: members }))
    .sort((one, other) => other.cases.length - one.cases.length);
}

/** One square of a map: one case, or neighbours that stand for themselves where there are too many for squares. */
export interface Square {
  readonly cases: readonly CaseState[];
  /** The state that wants most to be seen. */
  readonly status: string;
}

/** What is seen of neighbours in one square: trouble first, then what moves, then what is done. */
const URGENT = ['FAILED', 'BLOCKED', 'CANCELLED', 'PAUSED', 'RUNNING', 'ARCHIVING'];

/** At most `most` squares for all cases, in their order. */
export function squares(cases: readonly CaseState[], most: number): Square[] {
  const each = Math.max(1, Math.ceil(cases.length / most));
  return Array.from({ length: Math.ceil(cases.length / each) }, (_, place) => {
    const members = cases.slice(place * each, (place + 1) * each);
    const statuses = members.map(({ status }) => status);
    const urgent = URGENT.find(status => statuses.includes(status)) ?? statuses.find(status => !isTerminal(status));
    return { cases: members, status: urgent ?? statuses[0] ?? '' };
  });
}
