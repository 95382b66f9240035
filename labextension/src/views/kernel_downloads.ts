/** Links to outputs where the page itself cannot reach them: what they lead to is brought through the kernel. */

import type { Wire } from '../core/client.js';
import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { record, text } from '../job.js';
import { element } from '../dom.js';
import { later } from './site.js';

/** Bytes that the page holds until a file is whole. */
const MOST = 256 * 1024 * 1024;
/** Milliseconds until a file that was handed over is let go. */
const HANDED = 60_000;

/** Follow links that begin with `link`; `say` tells how it went. The result ends it. */
export function followLinks(link: string, wire: Pick<Wire, 'request'>, say: (words: string) => void): () => void {
  const follow = (event: Event): void => {
    const found = (event.target as Element | null)?.closest?.(`a[href^="${link}/"]`);
    if (!found || event.defaultPrevented) {
      return;
    }
    event.preventDefault();
    const path = (found.getAttribute('href') ?? '').slice(link.length);
    void bring(wire, path, found.getAttribute('download') || nameOf(path)).then(say, fault => say(told(fault)));
  };
  document.addEventListener('click', follow);
  return () => document.removeEventListener('click', follow);
}

/** What a browser would call it. */
export function nameOf(path: string): string {
  const [where = '', query = ''] = path.split('?');
  const last = decodeURIComponent(where.split('/').filter(Boolean).pop() ?? 'output');
  return query.includes('compress=true') ? `${last}.zip` : last;
}

async function bring(wire: Pick<Wire, 'request'>, path: string, name: string): Promise<string> {
  const response = await wire.request('GET', path);
  if (!response.ok) {
    return text(record(await response.json().catch(() => null))['message']) || t('The server answered {status}.', { status: response.status });
  }
  const parts: BlobPart[] = [];
  const reader = response.body?.getReader();
  for (let count = 0; ; ) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || !value) {
      break;
    }
    count += value.length;
    if (count > MOST) {
      void reader?.cancel();
      return t('{name} is too large to come through the kernel: job.download() in a cell brings it.', { name });
    }
    parts.push(value);
  }
  const url = URL.createObjectURL(new Blob(parts, { type: 'application/octet-stream' }));
  element('a', '', { href: url, download: name }).click();
  later(() => URL.revokeObjectURL(url), HANDED);
  return '';
}
