/** A text that was given or made: the request, the resolved job, scripts; with copying. */

import { t } from '../core/language.js';
import { button, element, write } from '../dom.js';
import { list, parsed, record, text } from '../job.js';
import { size } from '../words.js';

/** Attributes of a job that hold JSON as text. */
const JSON_TEXTS = ['fileInputs', 'parameterSet', 'execSystemConstraints', 'subscriptions', 'notes'];
/** Characters of an inline file that are shown. */
const INLINE = 80;

/** `value` as indented JSON. */
export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? '';
}

/** A request to be read: files inside it are cut short. */
export function shortened(request: unknown): unknown {
  return JSON.parse(pretty(request), (_, value) =>
    typeof value === 'string' && value.startsWith('data:') && value.length > INLINE
      ? `${value.slice(0, INLINE)}… (${size(value.length)})`
      : value
  );
}

/** A job with its JSON texts opened. */
export function opened(job: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(job).map(([name, value]) => [name, JSON_TEXTS.includes(name) && value ? parsed(value) ?? value : value])
  );
}

/** One text file among the inputs. `path` names it in the job's directory; `told` is null where it lies elsewhere. */
export interface Given {
  readonly path: string;
  readonly told: string | null;
}

/** The scripts and small files that came inside a request, and the script that came beside it. */
export function givenTexts(request: unknown): Given[] {
  return list(record(request)['fileInputs'])
    .map(record)
    .flatMap(input => {
      const path = text(input['targetPath']) || text(input['name']);
      const told = inline(text(input['sourceUrl']));
      return told !== null || input['name'] === 'script' ? [{ path, told }] : [];
    });
}

/** The text of a `data:` address (RFC 2397); null for another address, and for what is no text. */
export function inline(url: string): string | null {
  const found = /^data:[^,]*?(;base64)?,([\s\S]*)$/.exec(url);
  if (!found) {
    return null;
  }
  try {
    const bytes = found[1] ? Uint8Array.from(atob(found[2] ?? ''), sign => sign.charCodeAt(0)) : null;
    return bytes ? new TextDecoder('utf-8', { fatal: true }).decode(bytes) : decodeURIComponent(found[2] ?? '');
  } catch {
    return null;
  }
}

/** A text with its name and a button that copies `copied`. */
export class TextView {
  readonly node = element('figure', 'tj-TextView');

  constructor(name: string, told: string, private copied = told) {
    const copy = button(t('Copy'), t('Copy {name}', { name }), () => void copyText(this.copied, words => write(note, t(words))));
    const note = element('span', 'tj-Note', { role: 'status' });
    const caption = element('figcaption', 'tj-Bar', {}, element('span', 'tj-Caption', {}, name), copy, note);
    this.node.append(caption, element('pre', 'tj-Text', { role: 'region', tabindex: '0', 'aria-label': name }, told));
  }
}

export const COPIED = 'Copied.';

/** Put `told` on the clipboard, and say so; without https a page may not. */
export async function copyText(told: string, say: (words: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(told);
    say(COPIED);
  } catch {
    say(t('This page may not write to the clipboard: select the text and copy it by hand.'));
  }
}
