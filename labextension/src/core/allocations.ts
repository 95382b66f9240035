/** Allocations that somebody has used on a system before, kept by the browser. */

import { list, parsed, text } from '../job.js';
import { keep, kept, type Storage } from './storage.js';

const PLACE = 'tapisjobs:allocations:';
/** So many of each system are kept, the last used first. */
const MOST = 8;

export class Allocations {
  constructor(private readonly storage: Storage | null) {}

  of(system: string): string[] {
    return list(parsed(kept(this.storage, PLACE + system))).map(text).filter(Boolean);
  }

  used(system: string, name: string): void {
    const names = [name, ...this.of(system).filter(other => other !== name)].slice(0, MOST);
    keep(this.storage, PLACE + system, JSON.stringify(names));
  }
}
