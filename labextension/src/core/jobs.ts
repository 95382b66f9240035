/** Jobs as the views need them: pages of rows, counts of states, and what is done to many at once. */

import type { JobRow } from '../job.js';
import type { Watcher } from '../live.js';
import type { Asked, Calls, JobDetails, ValueCounts } from './api.js';
import { address, rows, type Client } from './client.js';
import { each, type Outcome } from './each.js';
import type { Told } from './extras.js';
import { clause, grouped, orderBy, parameters, type Filter, type Order } from './search.js';

/** A row of the grid. */
export interface GridRow extends JobRow {
  uuid: string;
  appId?: string;
  appVersion?: string;
  owner?: string;
  /** What the program ended with. */
  remoteResultInfo?: string | null;
  tags?: string[] | null;
  /** False once it is hidden from lists. */
  visible?: boolean;
  /** What columns of others have for it, by their names. */
  extra?: Readonly<Record<string, Told>>;
}

/** Values with how many jobs have each. */
export type Choices = ValueCounts;
type ChoiceColumn = NonNullable<NonNullable<Calls['GET /v3/tapisjobs/jobs/values']['query']>['attribute']>;

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
  'launchMode', 'tags', 'visible', 'remoteResultInfo', 'progress', 'progressMessage'
];
const FIELDS = ['summaryAttributes', ...MORE].join(',');
/** The server takes so many in one call. */
const AT_ONCE = 10_000;

export class Jobs {
  constructor(
    private readonly client: Client,
    readonly live: News,
    private readonly url: (path: string) => string = path => path
  ) {}

  async page(filter: Filter, orders: readonly Order[], skip: number, limit: number): Promise<Page> {
    const query = { select: FIELDS, limit, skip, orderBy: orderBy(orders), computeTotal: true, ...parameters(filter) };
    const { result, total } = await this.client.call('POST /v3/jobs/search', { query, body: where(filter) });
    return { rows: rows<GridRow>(result), total };
  }

  /** How many jobs that hold the filter's words stand in each group of states. */
  async counts(filter: Filter): Promise<Map<string, number>> {
    const { result } = await this.client.call('GET /v3/tapisjobs/jobs/counts', { query: parameters(filter) });
    return grouped(result.counts);
  }

  /** The values of a column that jobs have, for a choice. */
  async choices(column: string, { isHiddenToo, isSharedToo }: Filter): Promise<Choices> {
    const more = { ...(isHiddenToo && { includeHidden: true }), ...(isSharedToo && { listType: 'ALL_JOBS' as const }) };
    const query = { attribute: column as ChoiceColumn, ...more };
    return (await this.client.call('GET /v3/tapisjobs/jobs/values', { query })).result;
  }

  /** The uuids of all that match, at most as many as one bulk call takes. */
  async uuids(filter: Filter): Promise<string[]> {
    const query = { select: 'uuid', limit: AT_ONCE, ...parameters(filter) };
    const { result } = await this.client.call('POST /v3/jobs/search', { query, body: where(filter) });
    return rows<GridRow>(result).map(row => row.uuid);
  }

  /** Ask jobs to end; each has its own answer. */
  async cancel(uuids: string[]): Promise<Asked[]> {
    return (await this.client.call('POST /v3/jobs/cancel/bulk', { body: { uuids } })).result;
  }

  /** Hold jobs back that have not begun. */
  async pause(uuids: string[]): Promise<Asked[]> {
    return (await this.client.call('POST /v3/jobs/pause/bulk', { body: { uuids } })).result;
  }

  /** Let held jobs go on. */
  async resume(uuids: string[]): Promise<Asked[]> {
    return (await this.client.call('POST /v3/jobs/resume/bulk', { body: { uuids } })).result;
  }

  /** Submit jobs again as they were asked for. */
  resubmit(uuids: string[], step?: Step): Promise<Outcome[]> {
    return each(uuids, async uuid => {
      const { result } = await this.client.call('POST /v3/jobs/{jobUuid}/resubmit', { path: { jobUuid: uuid } });
      return `${result.name} ${result.uuid}`;
    }, step);
  }

  /** Leave jobs out of lists, or show them there again; nothing of them is lost. */
  setVisible(uuids: string[], isVisible: boolean, step?: Step): Promise<Outcome[]> {
    const route = `POST /v3/jobs/{jobUuid}/${isVisible ? 'unhide' : 'hide'}` as const;
    return each(uuids, async uuid => (await this.client.call(route, { path: { jobUuid: uuid } })).result.message, step);
  }

  /** Let somebody read parts of jobs: `JOB_HISTORY`, `JOB_RESUBMIT_REQUEST`, `JOB_OUTPUT`, `JOB_INPUT`. */
  share(uuids: string[], grantee: string, parts: string[], step?: Step): Promise<Outcome[]> {
    const body = { grantee, jobResource: parts, jobPermission: 'READ' };
    const share = async (uuid: string): Promise<string> =>
      (await this.client.call('POST /v3/jobs/{jobUuid}/share', { path: { jobUuid: uuid }, body })).result.message;
    return each(uuids, share, step);
  }

  /** Take back all that somebody may read of jobs. */
  unshare(uuids: string[], user: string, step?: Step): Promise<Outcome[]> {
    const unshare = async (uuid: string): Promise<string> =>
      (await this.client.call('DELETE /v3/jobs/{jobUuid}/share/{user}', { path: { jobUuid: uuid, user } })).result.message;
    return each(uuids, unshare, step);
  }

  /** Where a browser gets all outputs of a job as one zip. */
  zipUrl(uuid: string): string {
    const route = 'GET /v3/jobs/{jobUuid}/output/download/{path}';
    return this.url(address(route, { path: { jobUuid: uuid, path: '' }, query: { compress: true, allowIfRunning: true } })[1]);
  }
}

/** Hears how many are done. */
type Step = (done: number) => void;

function where(filter: Filter): { search: string[] } {
  return { search: [clause(filter)] };
}
