/** What the details of a job need of the page they are in, and the files that a job has written. */

import { address, RefusedError, type Client, type Wire } from '../core/client.js';
import type { FileRow } from '../core/api.js';
import { t } from '../core/language.js';
import { record, text } from '../job.js';
import type { Told, Watcher } from '../live.js';

/** The live news; `Live` is one. */
export interface News {
  watch(uuid: string, watcher: Watcher): () => void;
  tail(uuid: string, path: string, offset: number, listener: Told, ended: () => void): () => void;
}

/** The way to the server, and the deeds that only the page can do. */
export interface Site {
  readonly client: Client;
  readonly wire: Pick<Wire, 'request' | 'url'>;
  readonly live: News;
  /** Put code into a cell of the notebook in front; where the page cannot, it is copied instead. */
  insertCode?(code: string): Promise<void> | void;
  /** Keep a copy of a job's file among Jupyter's files and open it in a viewer of the page; the path of the copy. */
  openFile?(uuid: string, name: string, file: Blob): Promise<string>;
}

/** Calls later; the result takes it back. */
export type Later = (work: () => void, ms: number) => () => void;

export const later: Later = (work, ms) => {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
};

/** A file or folder among the outputs; `path` as the routes of outputs take it, `size` in bytes. */
export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly isFolder: boolean;
  /** When it was last changed, ISO-8601 UTC. */
  readonly changed: string;
}

const OUTPUT = 'GET /v3/jobs/{jobUuid}/output';
const LIST = 'GET /v3/jobs/{jobUuid}/output/list/{path}';

/** At most `limit` entries of one folder, folders first. */
export async function folder({ client }: Site, uuid: string, path: string, limit: number): Promise<Entry[]> {
  const query = { allowIfRunning: true, limit };
  const { result } = await client.call(LIST, { path: { jobUuid: uuid, path }, query });
  return result.map(row => entry(row, path)).sort(byName);
}

function entry(row: FileRow, folder: string): Entry {
  const name = text(row.name);
  return {
    name,
    path: folder ? `${folder}/${name}` : name,
    size: Number(row.size) || 0,
    isFolder: row.type === 'dir',
    changed: text(row.lastModified)
  };
}

function byName(one: Entry, other: Entry): number {
  return Number(other.isFolder) - Number(one.isFolder) || one.name.localeCompare(other.name);
}

/** Bytes in one output; 0 when it is not there yet. */
export async function outputSize({ client }: Site, uuid: string, path: string): Promise<number> {
  try {
    const query = { allowIfRunning: true };
    const { result } = await client.call(LIST, { path: { jobUuid: uuid, path }, query });
    return Number(result[0]?.size) || 0;
  } catch (fault) {
    if (isRefused(fault)) {
      return 0;
    }
    throw fault;
  }
}

const DOWNLOAD = `${OUTPUT}/download/{path}`;

/** One output as a file; with `only` a folder as a zip file: of these entries, of all where there are none. */
function download(uuid: string, path: string, only?: readonly string[]): Parameters<typeof address>[1] {
  const zip = only && { compress: true, ...(only.length && { only: only.join('/') }) };
  return { path: { jobUuid: uuid, path }, query: { allowIfRunning: true, ...zip } };
}

/** Where the browser gets it, see `download`. */
export function downloadUrl({ wire }: Site, uuid: string, path: string, only?: readonly string[]): string {
  return wire.url(address(DOWNLOAD, download(uuid, path, only))[1]);
}

/** The answer that brings it, see `download`. */
export async function openOutput(site: Site, uuid: string, path: string, only?: readonly string[]): Promise<Response> {
  return opened(site, DOWNLOAD, download(uuid, path, only));
}

/** The result of a call that is shown as it comes, and so has no type of its own. */
export async function asked(site: Site, route: string, given: Parameters<typeof address>[1]): Promise<unknown> {
  return record(await (await opened(site, route, given)).json())['result'];
}

/** The bytes `from` up to `to` of an output, fewer where it is shorter. */
export async function slice(site: Site, uuid: string, path: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  const query = { offset: from };
  return begun(await opened(site, `${OUTPUT}/follow/{path}`, { path: { jobUuid: uuid, path }, query }), to - from);
}

/** The first bytes of an output, at most `most`. */
export async function head(site: Site, uuid: string, path: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  return begun(await openOutput(site, uuid, path), most);
}

async function opened({ wire }: Site, route: string, given: Parameters<typeof address>[1]): Promise<Response> {
  const [method, path] = address(route, given);
  const response = await wire.request(method, path);
  if (!response.ok) {
    const answer = record(await response.json().catch(() => null));
    throw new RefusedError(response.status, text(answer['message']) || t('The server answered {status}.', { status: response.status }));
  }
  return response;
}

/** The first `most` bytes of an answer; the rest is not fetched, as a followed output may have no end. */
async function begun(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader && size < most) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    parts.push(value.subarray(0, most - size));
    size += value.length;
  }
  void reader?.cancel();
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** True when the server answered, and refused. */
export function isRefused(fault: unknown): fault is Error & { status: number } {
  return fault instanceof Error && 'status' in fault && typeof fault.status === 'number';
}
