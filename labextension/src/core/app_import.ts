/** Definitions of apps in a text of JSON or YAML, and what becomes of each that is taken to the server. */

import { list, record, text } from '../job.js';
import { RefusedError, told, type Client } from './client.js';
import { t } from './language.js';

/** What the server keeps and computes beside a definition: not the text's to say. */
const COMPUTED = ['tenant', 'owner', 'uuid', 'created', 'updated', 'deleted', 'isPublic', 'sharedWithUsers', 'sharedAppCtx'];
/** Characters of a text that are looked at. */
const LONGEST = 4_000_000;

export type Definition = Readonly<Record<string, unknown>>;

/** What became of one definition: `exists` is one that is there already and was left as it is. */
export interface Outcome {
  readonly title: string;
  readonly state: 'created' | 'replaced' | 'exists' | 'refused';
  /** One sentence where there is more to say. */
  readonly message: string;
  readonly warnings: readonly string[];
}

export class NoDefinitionError extends Error {}

/** The apps in a text: one definition, a list, or either in the envelope of an answer; YAML is read by the server. */
export async function definitionsIn(client: Client, told: string): Promise<Definition[]> {
  if (told.length > LONGEST) {
    throw new NoDefinitionError(t('It is too long: at most {count} characters are read.', { count: LONGEST.toLocaleString() }));
  }
  const held = (await documents(client, told)).flatMap(document => record(document)['result'] ?? document);
  const items = held.flat();
  if (!items.length) {
    throw new NoDefinitionError(t('It is empty: a definition is an object with an id and a version.'));
  }
  return items.map((item, place) => definition(item, items.length > 1 ? t('Number {place}', { place: place + 1 }) : t('It')));
}

async function documents(client: Client, text: string): Promise<unknown[]> {
  try {
    return [JSON.parse(text)];
  } catch {
    // It may be YAML.
  }
  try {
    return (await client.call('POST /v3/tapisjobs/definitions/read', { body: { text } })).result.definitions;
  } catch (fault) {
    throw new NoDefinitionError(told(fault));
  }
}

function definition(item: unknown, which: string): Definition {
  const found = record(item);
  const other = Object.entries(others()).find(([sign]) => sign in found);
  if (other) {
    throw new NoDefinitionError(t('{which} is {other}.', { which, other: other[1] }));
  }
  if (!text(found['id']) || !text(found['version'])) {
    throw new NoDefinitionError(t('{which} is no app: a definition has an id and a version.', { which }));
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => !COMPUTED.includes(name)));
}

/** What only definitions of other things have. */
function others(): Readonly<Record<string, string>> {
  return {
    appId: t('a job request, not an app: open it in the form'),
    systemType: t('a system, not an app'),
    moduleLoads: t('a scheduler profile, not an app')
  };
}

/** Take one definition to the server; what is there already stays, unless it is to be replaced. */
export async function taken(client: Client, definition: Definition, isReplaced = false): Promise<Outcome> {
  const [appId, appVersion] = [text(definition['id']), text(definition['version'])];
  const title = `${appId} ${appVersion}`;
  try {
    const { result } = isReplaced
      ? await client.call('PUT /v3/apps/{appId}/{appVersion}', { path: { appId, appVersion }, body: definition })
      : await client.call('POST /v3/apps', { body: definition });
    const warnings = list(record(result)['warnings']).map(text);
    return { title, state: isReplaced ? 'replaced' : 'created', message: '', warnings };
  } catch (fault) {
    const isThere = fault instanceof RefusedError && fault.status === 409 && !isReplaced;
    return { title, state: isThere ? 'exists' : 'refused', message: told(fault), warnings: [] };
  }
}
