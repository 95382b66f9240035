/** The server of this Lab page, reached as Lab reaches it. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { Wire } from './core/client.js';
import { shared } from './core/leader.js';

const MOUNT = 'tapis';

export function labWire(settings: ServerConnection.ISettings = ServerConnection.makeSettings()): Wire {
  const url = (path: string): string => URLExt.join(settings.baseUrl, MOUNT) + path;
  return {
    url,
    isPrompt: true,
    request: (method, path, body, signal) =>
      ServerConnection.makeRequest(url(path), { method, ...(body !== undefined && { body }), ...(signal && { signal }) }, settings),
    socket: shared(settings.baseUrl, after => {
      const query = new URLSearchParams(after === null ? {} : { after: String(after) });
      if (settings.appendToken && settings.token) {
        query.set('token', settings.token);
      }
      const live = URLExt.join(settings.wsUrl, MOUNT, 'v3', 'tapisjobs', 'live');
      return new settings.WebSocket(query.size ? `${live}?${query}` : live);
    })
  };
}
