/** Jobs as the views need them: pages of rows, counts of states, and what is done to many at once. */

import type { JobRow } from '../job.js';
import type { Watcher } from '../live.js';
import type { Cancelled, JobDetails } from './api.js';
import { rows, type Client } from './client.js';
import { clause, grouped, orderBy, type Filter, type Order } from './search.js';

/** A row of the grid. */
export interface GridRow extends JobRow {
  uuid: string;
  appId?: string;
  appVersion?: string;
}

export interface Page {
  rows: GridRow[];
  /** How many match in all. */
  total: number;
}

/** The live news that the views hear; `Live` is one. */
export interface News {
  watch(uuid: string, watcher: Watcher): () => void;
}

const MORE: readonly (keyof JobDetails)[] = [
  'lastMessage', 'jobType', 'execSystemLogicalQueue', 'nodeCount', 'coresPerNode', 'maxMinutes', 'remoteJobId',
  'launchMode', 'tags'
];
const FIELDS = ['summaryAttributes', ...MORE].join(',');
/** The server takes so many in one call. */
const AT_ONCE = 10_000;

export class Jobs {
  constructor(
    private readonly client: Client,
    readonly live: News
  ) {}

  async page(filter: Filter, orders: readonly Order[], skip: number, limit: number): Promise<Page> {
    const query = { select: FIELDS, limit, skip, orderBy: orderBy(orders), computeTotal: true, text: filter.text || null };
    const { result, total } = await this.client.call('POST /v3/jobs/search', { query, body: where(filter) });
    return { rows: rows<GridRow>(result), total };
  }

  /** How many jobs that hold the filter's words stand in each group of states. */
  async counts({ text }: Filter): Promise<Map<string, number>> {
    const { result } = await this.client.call('GET /v3/tapisjobs/jobs/counts', { query: { text: text || null } });
    return grouped(result.counts);
  }

  /** The uuids of all that match, at most as many as one bulk call takes. */
  async uuids(filter: Filter): Promise<string[]> {
    const query = { select: 'uuid', limit: AT_ONCE, text: filter.text || null };
    const { result } = await this.client.call('POST /v3/jobs/search', { query, body: where(filter) });
    return rows<GridRow>(result).map(row => row.uuid);
  }

  /** Ask jobs to end; each has its own answer. */
  async cancel(uuids: string[]): Promise<Cancelled[]> {
    return (await this.client.call('POST /v3/jobs/cancel/bulk', { body: { uuids } })).result;
  }

  async resubmit(uuid: string): Promise<GridRow> {
    const { result } = await this.client.call('POST /v3/jobs/{jobUuid}/resubmit', { path: { jobUuid: uuid } });
    return result as GridRow;
  }
}

function where(filter: Filter): { search: string[] } {
  return { search: [clause(filter)] };
}
