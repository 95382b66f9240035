/** Allocations of a system: those that its scheduler lets one charge, beside those used before, which the browser keeps. */

import { list, parsed, text } from '../job.js';
import type { Client } from './client.js';
import { keep, kept, type Storage } from './storage.js';

const PLACE = 'tapisjobs:allocations:';
/** So many of each system are kept, the last used first. */
const MOST = 8;

export class Allocations {
  constructor(private readonly storage: Storage | null) {}

  of(system: string): string[] {
    return list(parsed(kept(this.storage, PLACE + system))).map(text).filter(Boolean);
  }

  /** Those used before, the last one first, and then those that the system tells. */
  async all(client: Client, systemId: string): Promise<string[]> {
    const used = this.of(systemId);
    try {
      const { result } = await client.call('GET /v3/tapisjobs/hosts/{systemId}/allocations', { path: { systemId } });
      return [...new Set([...used, ...result])];
    } catch {
      // Where the system does not tell, what was used is offered.
      return used;
    }
  }

  used(system: string, name: string): void {
    const names = [name, ...this.of(system).filter(other => other !== name)].slice(0, MOST);
    keep(this.storage, PLACE + system, JSON.stringify(names));
  }
}
