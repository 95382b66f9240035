/** Definitions of apps in a text of JSON, and what becomes of each that is taken to the server. */

import { list, record, text } from '../job.js';
import { RefusedError, told, type Client } from './client.js';

/** What the server keeps and computes beside a definition: not the text's to say. */
const COMPUTED = ['tenant', 'owner', 'uuid', 'created', 'updated', 'deleted', 'isPublic', 'sharedWithUsers', 'sharedAppCtx'];
/** What only definitions of other things have. */
const OTHERS: Readonly<Record<string, string>> = {
  appId: 'a job request, not an app: open it in the form',
  systemType: 'a system, not an app',
  moduleLoads: 'a scheduler profile, not an app'
};

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

/** The apps in a text: one definition, a list, or either in the envelope of an answer. */
export function definitionsIn(told: string): Definition[] {
  let found: unknown;
  try {
    found = JSON.parse(told);
  } catch (fault) {
    throw new NoDefinitionError(`It is not JSON: ${fault instanceof Error ? fault.message : 'it cannot be read.'}`);
  }
  const held = Array.isArray(found) ? found : (record(found)['result'] ?? found);
  const items = Array.isArray(held) ? held : [held];
  if (!items.length) {
    throw new NoDefinitionError('It is empty: a definition is an object with an id and a version.');
  }
  return items.map((item, place) => definition(item, items.length > 1 ? `Number ${place + 1}` : 'It'));
}

function definition(item: unknown, which: string): Definition {
  const found = record(item);
  const other = Object.entries(OTHERS).find(([sign]) => sign in found);
  if (other) {
    throw new NoDefinitionError(`${which} is ${other[1]}.`);
  }
  if (!text(found['id']) || !text(found['version'])) {
    throw new NoDefinitionError(`${which} is no app: a definition has an id and a version.`);
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => !COMPUTED.includes(name)));
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
