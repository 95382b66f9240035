/** Templates of jobs as the form needs them: which there are, and a form in which what they want is needed. */

import { list, record, text } from '../job.js';
import type { AppForm, TemplateDetails } from './api.js';
import type { Client } from './client.js';
import type { Values } from './rules.js';

const TEMPLATES = '/v3/tapisjobs/templates';
/** Sections of a form with a field for each name. */
const SECTIONS = ['inputs', 'args', 'containerArgs', 'schedulerOptions', 'env'];

export class Templates {
  constructor(private readonly client: Client) {}

  /** The names of one's own; none on a server that keeps none. */
  async names(): Promise<string[]> {
    try {
      return (await this.client.call(`GET ${TEMPLATES}`, {})).result.map(({ name }) => name);
    } catch {
      return [];
    }
  }

  async get(name: string): Promise<TemplateDetails> {
    return (await this.client.call(`GET ${TEMPLATES}/{name}`, { path: { name } })).result;
  }
}

/** The form with all `names` needed: fields, what the app names, and of all others variables. */
export function needing(form: AppForm, names: readonly string[]): AppForm {
  const properties: Values = { ...record(form.schema['properties']) };
  const needed = new Set(list(form.schema['required']).map(text));
  for (const name of names) {
    const section = SECTIONS.find(each => name in record(record(properties[each])['properties']));
    if (name in properties) {
      needed.add(name);
    } else if (section) {
      const rules = record(properties[section]);
      properties[section] = { ...rules, required: [...list(rules['required']), name] };
    }
  }
  if (variables(form, names).length && properties['moreEnv']) {
    const rules = record(properties['moreEnv']);
    needed.add('moreEnv');
    properties['moreEnv'] = { ...rules, items: { ...record(rules['items']), required: ['key', 'value'] } };
  }
  return { ...form, schema: { ...form.schema, properties, required: [...needed] } };
}

/** Values with a row for each variable that is wanted and that the app does not name. */
export function withVariables(form: AppForm, values: Values, names: readonly string[]): Values {
  const rows = list(values['moreEnv']);
  const there = new Set(rows.map(row => text(record(row)['key'])));
  const added = variables(form, names).filter(name => !there.has(name)).map(key => ({ key }));
  return added.length ? { ...values, moreEnv: [...rows, ...added] } : values;
}

function variables({ schema }: AppForm, names: readonly string[]): string[] {
  const properties = record(schema['properties']);
  const named = SECTIONS.flatMap(each => Object.keys(record(record(properties[each])['properties'])));
  return names.filter(name => !(name in properties) && !named.includes(name) && !NO_VARIABLES.has(name));
}

/** What a request has and not every form a field for; the server says where it is missing. */
const NO_VARIABLES = new Set([
  'args', 'env', 'inputs', 'files', 'description', 'tags', 'notes', 'archiveSystemId', 'archiveSystemDir', 'cmdPrefix', 'mpiCmd', 'isMpi', 'subscriptions',
  'execSystemLogicalQueue', 'execSystemId', 'nodeCount', 'coresPerNode', 'memoryMB', 'maxMinutes', 'parameterSet', 'fileInputs'
]);
