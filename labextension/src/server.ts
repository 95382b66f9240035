/** The routes of our Jupyter server that a card uses; signed in as the browser is. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { RefusedError, type Wire } from './core/client.js';
import { list, outputFile, record, text, type JobRow, type OutputFile } from './job.js';
import { labWire } from './lab_wire.js';
import { hurried, Live } from './live.js';

const MOUNT = 'tapis/v3';

/** What `GET tapisjobs/server` tells. */
export interface ServerFacts {
  version: string;
  user: string;
  engine: Record<string, unknown>;
}

export { RefusedError };

export class Server {
  constructor(
    wire: Wire,
    private readonly settings = ServerConnection.makeSettings()
  ) {
    this.live = new Live(wire.socket);
    hurried(this.live);
  }

  readonly live: Live;

  async job(uuid: string): Promise<JobRow> {
    return record(await this.ask('GET', ['jobs', uuid])) as JobRow;
  }

  async cancel(uuid: string): Promise<void> {
    await this.ask('POST', ['jobs', uuid, 'cancel']);
  }

  /** Let a held job go on. */
  async resume(uuid: string): Promise<void> {
    await this.ask('POST', ['jobs', uuid, 'resume']);
  }

  async resubmit(uuid: string): Promise<JobRow> {
    return record(await this.ask('POST', ['jobs', uuid, 'resubmit'])) as JobRow;
  }

  /** The files at the top of the outputs, largest path first as the server lists them. */
  async outputs(uuid: string): Promise<OutputFile[]> {
    const rows = list(await this.ask('GET', ['jobs', uuid, 'output', 'list', ''], 'limit=100&allowIfRunning=true'));
    return rows
      .map(record)
      .filter(row => row['type'] !== 'dir')
      .map(row => ({ ...outputFile(row), path: text(row['name']) }));
  }

  /** Bytes in one output; 0 when it is not there yet. */
  async outputSize(uuid: string, path: string): Promise<number> {
    try {
      const rows = list(await this.ask('GET', ['jobs', uuid, 'output', 'list', path], 'allowIfRunning=true'));
      return Number(record(rows[0])['size']) || 0;
    } catch {
      return 0;
    }
  }

  /** Where the browser gets one output as a file; its cookie signs it in. */
  downloadUrl(uuid: string, path: string): string {
    return `${this.url(['jobs', uuid, 'output', 'download', ...path.split('/')])}?allowIfRunning=true`;
  }

  async facts(): Promise<ServerFacts> {
    const raw = record(await this.ask('GET', ['tapisjobs', 'server']));
    return { version: text(raw['version']), user: text(raw['user']), engine: record(raw['engine']) };
  }

  private async ask(method: string, path: string[], query = ''): Promise<unknown> {
    const url = this.url(path) + (query && `?${query}`);
    const response = await ServerConnection.makeRequest(url, { method }, this.settings);
    const answer = record(await response.json().catch(() => null));
    if (!response.ok) {
      throw new RefusedError(response.status, text(answer['message']) || `the server answered ${response.status}`);
    }
    return answer['result'];
  }

  private url(path: string[]): string {
    return URLExt.join(this.settings.baseUrl, MOUNT, ...path.map(encodeURIComponent));
  }
}

let one: Server | null = null;

/** The one server of this page, with its one connection. */
export function theServer(): Server {
  one ??= new Server(labWire());
  return one;
}
