/** Files on any system as a picker needs them: the systems, a folder's entries, and what an address says. */

import { text } from '../job.js';
import type { Client } from './client.js';

/** Entries of one folder that are shown at most. */
export const MOST = 500;

/** A folder or file on a system; `path` is below the system's root. */
export interface Place {
  readonly system: string;
  readonly path: string;
}

export interface Found {
  readonly name: string;
  readonly isFolder: boolean;
  /** In bytes. */
  readonly size: number;
}

/** The ids of all systems that one may use. */
export async function systems(client: Client): Promise<string[]> {
  const query = { listType: 'ALL', limit: -1, select: 'id,enabled', orderBy: 'id(asc)' } as const;
  const { result } = await client.call('GET /v3/systems', { query });
  return result.filter(row => row['enabled'] !== false).map(row => text(row['id']));
}

/** Directories of one's own on a system, the home first; `name` is HOME, WORK or SCRATCH. None where it is not known. */
export async function ownPlaces(client: Client, systemId: string): Promise<(Place & { readonly name: string })[]> {
  try {
    const { result } = await client.call('GET /v3/tapisjobs/hosts/{systemId}/places', { path: { systemId } });
    return result.map(({ name, path }) => ({ name, system: systemId, path: plain(path) }));
  } catch {
    // What is wrong with the system its files tell.
    return [];
  }
}

/** What lies in a folder, folders first, at most one more than `MOST`. */
export async function entries(client: Client, { system, path }: Place): Promise<Found[]> {
  const given = { path: { systemId: system, path }, query: { limit: MOST + 1 } };
  const { result } = await client.call('GET /v3/files/ops/{systemId}/{path}', given);
  return result
    .map(({ name, type, size }) => ({ name, isFolder: type === 'dir', size }))
    .sort((one, other) => Number(other.isFolder) - Number(one.isFolder) || one.name.localeCompare(other.name));
}

/** `tapis://system/path`. */
export function addressOf({ system, path }: Place): string {
  return `tapis://${system}/${plain(path)}`;
}

/** The place that an address names; null where it is none on a system. */
export function placeOf(address: string): Place | null {
  const found = /^tapis:\/\/([^/]+)(\/.*)?$/.exec(address.trim());
  return found ? { system: found[1] ?? '', path: plain(found[2] ?? '') } : null;
}

export function inside({ system, path }: Place, name: string): Place {
  return { system, path: plain(`${path}/${name}`) };
}

/** The folder that a place lies in. */
export function above({ system, path }: Place): Place {
  return { system, path: plain(path).split('/').slice(0, -1).join('/') };
}

function plain(path: string): string {
  return path.split('/').filter(part => part && part !== '.').join('/');
}
