/** What the browser keeps for the next time; where it may not, nothing is kept, and nobody is told. */

export interface Storage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

/** The browser's own storage; null where the page may not use it. */
export function pageStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export function kept(storage: Storage | null, name: string): string {
  try {
    return storage?.getItem(name) ?? '';
  } catch {
    return '';
  }
}

export function keep(storage: Storage | null, name: string, value: string): void {
  try {
    storage?.setItem(name, value);
  } catch {
    // It is full or closed.
  }
}
