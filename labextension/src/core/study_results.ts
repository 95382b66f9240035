/** Numbers of the cases of a study: what the server measured, and results that are read from an output of each. */

import { parsed, record } from '../job.js';
import type { OutputPreview } from './api.js';
import type { Client } from './client.js';
import { each } from './each.js';
import { t } from './language.js';
import type { CaseState } from './studies.js';

/** A number, or none, of each case: by its place. */
export interface Measure {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Cases whose outputs are read. */
export const MOST_READ = 500;

/** What the server measured, where any case has it. */
export function measured(cases: readonly CaseState[]): Measure[] {
  const found = [
    { name: t('running time (s)'), values: cases.map(({ runSeconds }) => runSeconds) },
    { name: t('waiting time (s)'), values: cases.map(({ queueSeconds }) => queueSeconds) }
  ];
  return found.filter(({ values }) => values.some(value => value !== null));
}

/**
 * The numbers in an output of the cases that are done, a measure for each name; the last row of a table counts.
 * That some cases have no such output is no reason to show none of the others. `step` hears how many are read.
 */
export async function results(
  client: Client,
  cases: readonly CaseState[],
  path: string,
  step: (done: number) => void = () => undefined
): Promise<Measure[]> {
  const places = new Map(cases.flatMap(({ status, jobUuid }, place) => (status === 'FINISHED' ? [[jobUuid, place] as const] : [])));
  const found = new Map<string, (number | null)[]>();
  const read = async (jobUuid: string): Promise<string> => {
    const { result } = await client.call('GET /v3/jobs/{jobUuid}/output/preview/{path}', { path: { jobUuid, path } });
    for (const [name, value] of Object.entries(numbersIn(result))) {
      const values = found.get(name) ?? cases.map(() => null);
      values[places.get(jobUuid) ?? -1] = value;
      found.set(name, values);
    }
    return '';
  };
  const outcomes = await each([...places.keys()].slice(0, MOST_READ), read, step);
  if (!found.size) {
    throw new NoResultsError(outcomes.find(({ message }) => message)?.message ?? t('No case that is done has a number in {path}.', { path }));
  }
  return [...found].map(([name, values]) => ({ name, values }));
}

export class NoResultsError extends Error {}

/** Name -> number, of the last row of a table or of a JSON object. */
export function numbersIn({ kind, columns, rows, text }: OutputPreview): Record<string, number> {
  const last = rows.at(-1) ?? [];
  const held = kind === 'json' ? Object.entries(record(parsed(text))) : columns.map((name, place) => [name, last[place]] as const);
  const numbers = held.flatMap(([name, value]) => {
    const number = typeof value === 'string' && value.trim() ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? [[name, number] as const] : [];
  });
  return Object.fromEntries(numbers);
}

/** A column of the cases that can be drawn: numbers as they are, and others by the order of their values. */
export interface Axis {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** The words for 0, 1, …, where it is no axis of numbers. */
  readonly words: readonly string[] | null;
}

/** The parameters that differ between cases; where there are none, the cases in their order. */
export function parameterAxes(cases: readonly CaseState[]): Axis[] {
  const names = [...new Set(cases.flatMap(({ parameters }) => Object.keys(parameters)))];
  const axes = names.map(name => axis(name, cases.map(({ parameters }) => parameters[name])));
  const varying = axes.filter(({ values }) => new Set(values).size > 1);
  return varying.length ? varying : [{ name: t('case'), values: cases.map((_, place) => place), words: null }];
}

function axis(name: string, found: readonly unknown[]): Axis {
  if (found.every(value => typeof value === 'number' || value === undefined || value === null)) {
    return { name, words: null, values: found.map(value => (typeof value === 'number' ? value : null)) };
  }
  const places = new Map<string, number>();
  const values = found.map(String).map(word => {
    places.set(word, places.get(word) ?? places.size);
    return places.get(word) ?? null;
  });
  return { name, words: [...places.keys()], values };
}

/** At most about `most` round numbers that span `values`; a span of nothing gets some. */
export function ticks(values: readonly number[], most: number): number[] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) {
    return [0, 1];
  }
  if (low === high) {
    const half = Math.abs(low) / 2 || 1;
    [low, high] = [low - half, high + half];
  }
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find(each => each * power >= rough) ?? 10);
  const [from, to] = [Math.floor(low / step), Math.ceil(high / step)];
  return Array.from({ length: to - from + 1 }, (_, place) => Number(((from + place) * step).toPrecision(12)));
}
