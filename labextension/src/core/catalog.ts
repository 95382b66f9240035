/** Systems and apps as the views need them, read from rows whose form the server's document leaves open. */

import { isTerminal, list, record, text, type JobRow } from '../job.js';
import type { HostLoad, HostReport, HostState, NewHost } from './api.js';
import { rows, type Client } from './client.js';
import type { Answers } from './host_sign_in.js';
import { clause, GROUPS } from './search.js';

/** All that the caller may see, in one answer. */
const EVERY = { limit: -1, listType: 'ALL', select: 'allAttributes', orderBy: 'id(asc)' } as const;

/** Jobs that are counted in one look. */
const MOST_JOBS = 10_000;
const ACTIVE = GROUPS.filter(({ status }) => !isTerminal(status));

/** A queue and its limits per job; null is without limit. */
export interface QueueInfo {
  readonly name: string;
  /** The scheduler's own name for it. */
  readonly hostName: string;
  readonly isDefault: boolean;
  readonly nodes: number | null;
  readonly cores: number | null;
  readonly memoryMB: number | null;
  readonly minutes: number | null;
  /** Jobs of one person at a time. */
  readonly jobs: number | null;
}

export interface SystemInfo {
  readonly id: string;
  readonly host: string;
  readonly description: string;
  readonly isEnabled: boolean;
  readonly canExec: boolean;
  readonly scheduler: string;
  readonly workDir: string;
  readonly queues: readonly QueueInfo[];
  /** `SINGULARITY 1.3`, as far as versions are known. */
  readonly runtimes: readonly string[];
}

export interface AppInfo {
  readonly id: string;
  readonly version: string;
  readonly label: string;
  readonly description: string;
  readonly category: string;
  readonly runtime: string;
  readonly owner: string;
  /** Its newest version may be used. */
  readonly isEnabled: boolean;
  readonly tags: readonly string[];
}

export class Catalog {
  constructor(private readonly client: Client) {}

  async systems(): Promise<SystemInfo[]> {
    return (await this.client.call('GET /v3/systems', { query: EVERY })).result.map(systemOf);
  }

  async apps(): Promise<AppInfo[]> {
    return (await this.client.call('GET /v3/apps', { query: EVERY })).result.map(appOf);
  }

  /** One's own jobs that have not ended, by system and queue. */
  async load(): Promise<Load> {
    const groups = new Set(ACTIVE.map(({ name }) => name));
    const query = { select: 'execSystemId,execSystemLogicalQueue,status', limit: MOST_JOBS };
    const body = { search: [clause({ groups })] };
    const found: Load = new Map();
    for (const row of rows<JobRow>((await this.client.call('POST /v3/jobs/search', { query, body })).result)) {
      const key = place(row.execSystemId ?? '', row.execSystemLogicalQueue ?? '');
      const counts = found.get(key) ?? {};
      counts[row.status ?? ''] = (counts[row.status ?? ''] ?? 0) + 1;
      found.set(key, counts);
    }
    return found;
  }

  /** How full the queues of a system are, whoever's jobs these are; without a connection made for it. */
  async fullness(systemId: string): Promise<HostLoad> {
    return (await this.client.call('GET /v3/tapisjobs/hosts/{systemId}/load', { path: { systemId } })).result;
  }

  /** How one's own hosts stand; without a connection made for it. */
  async hosts(): Promise<HostState[]> {
    return (await this.client.call('GET /v3/tapisjobs/hosts', {})).result;
  }

  /** Connect to a new host, look at it, and keep it as a system. */
  async addHost(host: NewHost): Promise<HostReport> {
    return (await this.client.call('POST /v3/tapisjobs/hosts', { body: host })).result.report;
  }

  /** Connect to a host now and look at it again, with what it asked for. */
  async check(systemId: string, { code, trust }: Answers): Promise<HostReport> {
    const body = { ...(code && { code }), ...(trust && { trust }) };
    const given = { path: { systemId }, ...((code || trust) && { body }) };
    return (await this.client.call('POST /v3/tapisjobs/hosts/{systemId}/check', given)).result;
  }
}

/** A queue of a system -> how many jobs have each status. */
export type Load = Map<string, Record<string, number>>;

/** What a queue is called in a load. */
export function place(system: string, queue: string): string {
  return JSON.stringify([system, queue]);
}

export function systemOf(row: Record<string, unknown>): SystemInfo {
  const usual = text(row['batchDefaultLogicalQueue']);
  return {
    id: text(row['id']),
    host: text(row['host']),
    description: text(row['description']),
    isEnabled: row['enabled'] !== false,
    canExec: row['canExec'] === true,
    scheduler: row['canRunBatch'] === true ? text(row['batchScheduler']) : '',
    workDir: text(row['jobWorkingDir']),
    queues: list(row['batchLogicalQueues']).map(queue => queueOf(record(queue), usual)),
    runtimes: list(row['jobRuntimes']).map(record).map(each => runtimeWords(text(each['runtimeType']), text(each['version'])))
  };
}

/** `ZIP`, `SINGULARITY 1.3`; a version that begins with the program's name says enough: `apptainer 1.4.5`. */
function runtimeWords(type: string, version: string): string {
  return /^[a-z]/i.test(version) ? version : [type, version].filter(Boolean).join(' ');
}

function queueOf(row: Record<string, unknown>, usual: string): QueueInfo {
  const name = text(row['name']);
  return {
    name,
    hostName: text(row['hpcQueueName']),
    isDefault: name === usual,
    nodes: limit(row['maxNodeCount']),
    cores: limit(row['maxCoresPerNode']),
    memoryMB: limit(row['maxMemoryMB']),
    minutes: limit(row['maxMinutes']),
    jobs: limit(row['maxJobsPerUser'])
  };
}

/** -1 is without limit, and so is the largest number that Tapis has for it. */
function limit(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value < 2 ** 31 - 1 ? value : null;
}

export function appOf(row: Record<string, unknown>): AppInfo {
  const notes = record(row['notes']);
  return {
    id: text(row['id']),
    version: text(row['version']),
    label: text(notes['label']) || text(row['id']),
    description: text(row['description']),
    category: text(notes['category']),
    runtime: text(row['runtime']),
    owner: text(row['owner']),
    isEnabled: row['enabled'] !== false && row['versionEnabled'] !== false,
    tags: list(row['tags']).map(text)
  };
}

/** The apps that have all words somewhere in what is told of them. */
export function found(apps: readonly AppInfo[], words: string): AppInfo[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return apps.filter(({ id, version, label, description, category, owner, tags }) => {
    const told = [id, version, label, description, category, owner, ...tags].join('\n').toLowerCase();
    return wanted.every(word => told.includes(word));
  });
}
