/** Forms of apps as a view needs them: the apps to choose from, a form, and the request that a filled one is. */

import { record, text } from '../job.js';
import type { AppForm, FilledForm, JobDetails, ReadRequest, Validated } from './api.js';
import type { Client } from './client.js';
import { choices, fields, type Values } from './rules.js';

const FORM = '/v3/tapisjobs/apps/{appId}/{appVersion}/form';

export interface AppName {
  id: string;
  version: string;
  /** What its notes call it. */
  label?: string;
}

export class Forms {
  constructor(private readonly client: Client) {}

  /** The apps that one may run, by name. */
  async apps(): Promise<AppName[]> {
    const query = { listType: 'ALL', limit: -1, select: 'id,version,enabled,notes', orderBy: 'id(asc)' } as const;
    const { result } = await this.client.call('GET /v3/apps', { query });
    return result
      .filter(row => row['enabled'] !== false)
      .map(row => ({ id: text(row['id']), version: text(row['version']), label: text(record(row['notes'])['label']) }));
  }

  async form({ id, version }: AppName, execSystemId: string | null = null): Promise<AppForm> {
    const path = { appId: id, appVersion: version };
    return (await this.client.call(`GET ${FORM}`, { path, query: { execSystemId } })).result;
  }

  /** The request that a filled form asks for; `rest` is what a form has no fields for. */
  async request({ appId, appVersion }: AppForm, filled: FilledForm): Promise<Values> {
    return (await this.client.call(`POST ${FORM}`, { path: { appId, appVersion }, body: filled })).result.request;
  }

  /** A form's values for a request. */
  async filled({ appId, appVersion }: AppForm, request: Values): Promise<FilledForm> {
    return (await this.client.call(`POST ${FORM}/values`, { path: { appId, appVersion }, body: { request } })).result;
  }

  /** The request in a `%%tapisjob` cell, JSON or YAML. */
  async read(told: string): Promise<ReadRequest> {
    return (await this.client.call('POST /v3/tapisjobs/code/read', { body: { text: told } })).result;
  }

  /** What a request would become; nothing is submitted. */
  async dryRun(request: Values): Promise<Validated> {
    return (await this.client.call('POST /v3/jobs/validate', { body: request })).result;
  }

  async submit(request: Values): Promise<JobDetails> {
    return (await this.client.call('POST /v3/jobs/submit', { body: request })).result;
  }
}

/** What a person reads of an app: its label where it has one, and what it is asked for by. */
export function called({ id, version, label }: AppName): string {
  return label && label !== id ? `${label} (${id} ${version})` : `${id} ${version}`;
}

/** What somebody has filled in, in the form of the same app on another system. */
export function carried(from: AppForm, values: Values, to: AppForm): Values {
  const found: Values = { ...to.values };
  for (const [name, rules] of fields(to.schema, to.values)) {
    const value = values[name];
    const isOwn = value !== undefined && value !== from.values[name];
    if (isOwn && name !== 'execSystemId' && (choices(rules)?.some(([choice]) => choice === value) ?? true)) {
      found[name] = value;
    }
  }
  return found;
}
