/** Which columns a person wants, how wide, in which order, sorted and filtered by what; kept by the browser, also under names. */

import { list, parsed, record, text } from '../job.js';
import { filterOf, type ColumnFilter, type ColumnFilters } from './column_filters.js';

/** One column, in the words of the grid. */
export interface ColumnChoice {
  colId: string;
  hide: boolean;
  /** Pixels; null where it takes its part of the room that is left. */
  width: number | null;
  flex: number | null;
  sort: 'asc' | 'desc' | null;
  sortIndex: number | null;
  /** Shown also where there is little room, as somebody wants it. */
  always?: true;
  /** What it is filtered by, where it is. */
  filter?: ColumnFilter;
}

/** From left to right. */
export type Layout = readonly ColumnChoice[];

/** The part of a browser's storage that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem'>;

const KEY = 'tapisjobs.columns';
/** Characters of a name; sets. */
const [LONGEST, MOST] = [60, 50];

interface Kept {
  /** As it was left. */
  now: Layout;
  sets: Record<string, Layout>;
}

export class ColumnSets {
  constructor(private readonly store: Store | null = browserStore()) {}

  /** As it was left; empty where nothing was changed. */
  get now(): Layout {
    return this.read().now;
  }

  keep(now: Layout): void {
    this.write({ ...this.read(), now });
  }

  get names(): string[] {
    return Object.keys(this.read().sets).sort((one, other) => one.localeCompare(other));
  }

  /** Keep a layout under a name, in place of one of that name; false where there is no room for it. */
  save(name: string, layout: Layout): boolean {
    const kept = this.read();
    const key = name.trim().slice(0, LONGEST);
    const isNew = !Object.hasOwn(kept.sets, key);
    if (!key || (isNew && Object.keys(kept.sets).length >= MOST)) {
      return false;
    }
    return this.write({ ...kept, sets: { ...kept.sets, [key]: layout } });
  }

  take(name: string): Layout {
    const { sets } = this.read();
    return Object.hasOwn(sets, name) ? (sets[name] ?? []) : [];
  }

  remove(name: string): void {
    const kept = this.read();
    this.write({ ...kept, sets: Object.fromEntries(Object.entries(kept.sets).filter(([other]) => other !== name)) });
  }

  /** What is stored may be anything: other code of the page writes there too. */
  private read(): Kept {
    let raw: Record<string, unknown> = {};
    try {
      raw = record(parsed(this.store?.getItem(KEY)));
    } catch {
      // A browser that keeps nothing for this page.
    }
    const sets = Object.entries(record(raw['sets'])).map(([name, layout]) => [name, layoutOf(layout)] as const);
    return { now: layoutOf(raw['now']), sets: Object.fromEntries(sets) };
  }

  private write(kept: Kept): boolean {
    try {
      this.store?.setItem(KEY, JSON.stringify(kept));
      return this.store !== null;
    } catch {
      return false;
    }
  }
}

function layoutOf(raw: unknown): Layout {
  return list(raw).map(record).filter(choice => choice['colId']).map(choiceOf);
}

/** The layout to keep: `columns` as they are, of which the `far` ones are left out where there is little room.
    That alone leaves out none for good; what somebody has `said` does. */
export function laidOut(
  columns: Layout, before: Layout, far: ReadonlySet<string>, said: ReadonlyMap<string, boolean>
): Layout {
  return columns.map(column => {
    const { colId } = column;
    const known = before.find(choice => choice.colId === colId);
    const isShown = said.get(colId) ?? (known?.always || undefined);
    const hide = isShown === undefined ? (far.has(colId) ? known?.hide ?? false : column.hide) : !isShown;
    return { ...column, hide, ...(isShown && { always: true as const }) };
  });
}

/** The layout where the `far` columns have no room. */
export function fitted(layout: Layout, far: ReadonlySet<string>): Layout {
  return layout.map(choice => (far.has(choice.colId) && !choice.always ? { ...choice, hide: true } : choice));
}

/** The filters of a layout. */
export function filtersIn(layout: Layout): ColumnFilters {
  return Object.fromEntries(layout.flatMap(({ colId, filter }) => (filter ? [[colId, filter]] : [])));
}

/** The layout with these filters. */
export function filteredBy(layout: Layout, filters: ColumnFilters): Layout {
  return layout.map(({ filter: _, ...choice }) => {
    const filter = filters[choice.colId];
    return filter ? { ...choice, filter } : choice;
  });
}

export function choiceOf(raw: Record<string, unknown>): ColumnChoice {
  const sort = raw['sort'];
  const filter = filterOf(text(raw['colId']), raw['filter']);
  return {
    colId: text(raw['colId']),
    hide: raw['hide'] === true,
    width: number(raw['width']),
    flex: number(raw['flex']),
    sort: sort === 'asc' || sort === 'desc' ? sort : null,
    sortIndex: number(raw['sortIndex']),
    ...(raw['always'] === true && { always: true as const }),
    ...(filter && { filter })
  };
}

function number(raw: unknown): number | null {
  return typeof raw === 'number' && Number.isFinite(raw) && raw >= 0 ? raw : null;
}

function browserStore(): Store | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
