/** The server of the page that a panel is on: signed in by its cookie, never by a token. */

import { parsed, record, text } from '../job.js';
import { shared } from './leader.js';
import type { Wire } from './client.js';

const MOUNT = 'tapis';

/** The part of a page that is looked at. */
export interface Page {
  config: string | null;
  cookie: string;
  origin: string;
}

/** Where Jupyter is, as its pages tell it (`#jupyter-config-data`); null on a page that is not Jupyter's. */
export function baseUrl({ config, origin }: Page): string | null {
  const told = text(record(parsed(config ?? ''))['baseUrl']);
  return told ? new URL(told.endsWith('/') ? told : `${told}/`, origin).href : null;
}

/** The value that Jupyter wants back from the browser beside its cookie. */
export function xsrf(cookie: string): string {
  const found = cookie.split(/;\s*/).find(pair => pair.startsWith('_xsrf='));
  return found ? decodeURIComponent(found.slice('_xsrf='.length)) : '';
}

/** The page that this runs in. */
export function thisPage(): Page {
  return {
    config: document.getElementById('jupyter-config-data')?.textContent ?? null,
    cookie: document.cookie,
    origin: location.origin
  };
}

/** The wire of this page; null where no Jupyter server stands behind it. */
export function pageWire(): Wire | null {
  const base = baseUrl(thisPage());
  if (base === null) {
    return null;
  }
  const url = (path: string): string => `${base}${MOUNT}${path}`;
  return {
    url,
    isPrompt: true,
    request: (method, path, body, signal) =>
      fetch(url(path), {
        method,
        credentials: 'same-origin',
        headers: { 'X-XSRFToken': xsrf(document.cookie), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        ...(body !== undefined && { body }),
        ...(signal && { signal })
      }),
    socket: shared(base, after => {
      const live = url('/v3/tapisjobs/live').replace(/^http/, 'ws');
      return new WebSocket(after === null ? live : `${live}?after=${after}`);
    })
  };
}
