/** Filters of single columns: which there are, and what they are in the words of the server's search. */

import { list, record, text } from '../job.js';

/** What the values of a column are: few that are chosen from, texts, numbers, or times. */
export type Kind = 'choice' | 'text' | 'number' | 'date';

export interface ColumnFilter {
  /** One of `CONDITIONS`. */
  op: string;
  /** As they were chosen or typed; dates as `2026-11-21`. */
  values: readonly string[];
}

/** By column. */
export type ColumnFilters = Readonly<Record<string, ColumnFilter>>;

/** The columns that can be filtered; they bear the names of the attributes. */
export const FILTERED: Readonly<Record<string, Kind>> = {
  status: 'choice', appId: 'choice', execSystemId: 'choice', execSystemLogicalQueue: 'choice', owner: 'choice',
  name: 'text', lastMessage: 'text', remoteJobId: 'text', uuid: 'text',
  exitCode: 'number', progress: 'number', nodeCount: 'number', coresPerNode: 'number', maxMinutes: 'number',
  created: 'date', ended: 'date'
};

type Pair = readonly [op: string, value: string];

interface Way {
  op: string;
  /** How a person reads it, between the column and the value. */
  words: string;
  /** How many values it takes; any number where it is 0. */
  count: number;
  ask(values: readonly string[]): Pair[];
}

const UNTIL: Pair['0'] = 'lt';
const first = ([value = '']: readonly string[]): string => value;
const second = ([, value = '']: readonly string[]): string => value;
const one = (op: string, ask: (value: string) => string = escaped) => (values: readonly string[]): Pair[] => [[op, ask(first(values))]];

/** The ways to filter a column of each kind; the first one is offered first. */
export const WAYS: Readonly<Record<Kind, readonly Way[]>> = {
  choice: [{ op: 'in', words: 'is', count: 0, ask: values => [['in', values.map(escaped).join(',')]] }],
  text: [
    { op: 'holds', words: 'contains', count: 1, ask: one('holds') },
    { op: 'starts', words: 'begins with', count: 1, ask: one('like', value => `${pattern(value)}*`) },
    { op: 'eq', words: 'is exactly', count: 1, ask: one('eq') }
  ],
  number: [
    { op: 'eq', words: 'is', count: 1, ask: one('eq') },
    { op: 'neq', words: 'is not', count: 1, ask: one('neq') },
    { op: 'gte', words: 'is at least', count: 1, ask: one('gte') },
    { op: 'lte', words: 'is at most', count: 1, ask: one('lte') },
    { op: 'between', words: 'is between', count: 2, ask: values => [['gte', first(values)], ['lte', second(values)]] }
  ],
  date: [
    { op: 'on', words: 'is on', count: 1, ask: values => [['gte', midnight(first(values))], [UNTIL, midnight(first(values), 1)]] },
    { op: 'since', words: 'is since', count: 1, ask: values => [['gte', midnight(first(values))]] },
    { op: 'before', words: 'is before', count: 1, ask: values => [[UNTIL, midnight(first(values))]] },
    { op: 'between', words: 'is between', count: 2, ask: values => [['gte', midnight(first(values))], [UNTIL, midnight(second(values), 1)]] }
  ]
};

const FITS: Readonly<Record<Kind, RegExp>> = {
  choice: /^[^]{1,200}$/, text: /^[^]{1,200}$/, number: /^[+-]?\d{1,15}$/, date: /^\d{4}-\d\d-\d\d$/
};

export function wayOf(kind: Kind, op: string): Way | undefined {
  return WAYS[kind].find(way => way.op === op);
}

/** The filter, or null where it asks for nothing or is not understood: what was kept may be anything. */
export function filterOf(column: string, raw: unknown): ColumnFilter | null {
  const kind = Object.hasOwn(FILTERED, column) ? FILTERED[column] : undefined;
  const op = text(record(raw)['op']);
  const way = kind && wayOf(kind, op);
  const values = list(record(raw)['values']).map(text).map(value => value.trim());
  if (!kind || !way || !values.length || (way.count && values.length !== way.count) || !values.every(value => FITS[kind].test(value))) {
    return null;
  }
  return kind === 'date' && !values.every(value => Number.isFinite(dayOf(value).getTime())) ? null : { op, values };
}

/** All that are understood. */
export function filtersOf(raw: unknown): ColumnFilters {
  const found = Object.entries(record(raw)).map(([column, filter]) => [column, filterOf(column, filter)] as const);
  return Object.fromEntries(found.filter((pair): pair is [string, ColumnFilter] => pair[1] !== null));
}

/** The conditions of a search: `attribute.operator` and value. */
export function conditions(filters: ColumnFilters): Record<string, string> {
  const pairs = Object.entries(filters).flatMap(([column, { op, values }]) => {
    const way = wayOf(FILTERED[column] ?? 'text', op);
    return (way?.ask(values) ?? []).map(([asked, value]) => [`${column}.${asked}`, value] as const);
  });
  return Object.fromEntries(pairs);
}

export function isSame(one: ColumnFilters, other: ColumnFilters): boolean {
  const told = (filters: ColumnFilters): string =>
    JSON.stringify(Object.keys(filters).sort().map(column => [column, filters[column]?.op, filters[column]?.values]));
  return told(one) === told(other);
}

/** `value` as it is: the server's grammar gives these signs a meaning. */
function escaped(value: string): string {
  return value.replace(/[\\,]/g, '\\$&');
}

function pattern(value: string): string {
  return value.replace(/[\\*!]/g, '\\$&');
}

/** When the day begins where the person is, or one that comes `later` days after it, in UTC. */
function midnight(day: string, later = 0): string {
  const at = dayOf(day);
  at.setDate(at.getDate() + later);
  return at.toISOString();
}

function dayOf(day: string): Date {
  return new Date(`${day}T00:00:00`);
}
