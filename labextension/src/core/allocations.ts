/** Allocations that somebody has used on a system before, kept by the browser. */

import { list, parsed, text } from '../job.js';

const PLACE = 'tapisjobs:allocations:';
/** So many of each system are kept, the last used first. */
const MOST = 8;

export interface Storage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

export class Allocations {
  /** Without a storage nothing is kept: a browser may forbid it. */
  constructor(private readonly storage: Storage | null) {}

  of(system: string): string[] {
    try {
      return list(parsed(this.storage?.getItem(PLACE + system) ?? '')).map(text).filter(Boolean);
    } catch {
      return [];
    }
  }

  used(system: string, name: string): void {
    const kept = [name, ...this.of(system).filter(other => other !== name)].slice(0, MOST);
    try {
      this.storage?.setItem(PLACE + system, JSON.stringify(kept));
    } catch {
      // A full storage is no reason to tell anyone.
    }
  }
}

/** The browser's own storage, where the page may use it. */
export function pageStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
