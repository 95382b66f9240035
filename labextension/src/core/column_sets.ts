/** Which columns a person wants, how wide, in which order and sorted by what; kept by the browser, also under names. */

import { list, parsed, record, text } from '../job.js';

/** One column, in the words of the grid. */
export interface ColumnChoice {
  colId: string;
  hide: boolean;
  /** Pixels; null where it takes its part of the room that is left. */
  width: number | null;
  flex: number | null;
  sort: 'asc' | 'desc' | null;
  sortIndex: number | null;
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

export function choiceOf(raw: Record<string, unknown>): ColumnChoice {
  const sort = raw['sort'];
  return {
    colId: text(raw['colId']),
    hide: raw['hide'] === true,
    width: number(raw['width']),
    flex: number(raw['flex']),
    sort: sort === 'asc' || sort === 'desc' ? sort : null,
    sortIndex: number(raw['sortIndex'])
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
