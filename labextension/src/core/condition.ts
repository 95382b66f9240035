/** How it stands between a page and its server: signed in or not, of one version or of two. */

import type { Wire } from './client.js';
import { t } from './language.js';

const SIGNED_OUT =
  '⚠ You are not signed in at the Jupyter server any more. Sign in in another tab, or load this page again; ' +
  'jobs go on without it.';

/** What to tell somebody who is signed out; '' while she is signed in. */
export function signInWords(isSignedOut: boolean): string {
  return isSignedOut ? t(SIGNED_OUT) : '';
}

/** `wire`, which tells whether the last answer was that nobody is signed in. */
export function minded(wire: Wire, tell: (isSignedOut: boolean) => void): Wire {
  return {
    ...wire,
    request: async (method, path, body, signal) => {
      const response = await wire.request(method, path, body, signal);
      tell(response.status === 401);
      return response;
    }
  };
}

const NEWER =
  'The server has Tapis Jobs {theirs}, this panel is of {own}: what is new there is not shown. ' +
  'Run "pip install -U jupyter-tapis-jobs" for this kernel, and restart it.';
const OLDER =
  'The server has Tapis Jobs {theirs}, this panel is of {own}: what the server does not know yet fails here. ' +
  'Start the Jupyter server again with {own}.';

/** What to tell of two versions; '' where they go together: the third number changes nothing between them. */
export function versionWords(own: string, theirs: string): string {
  const [mine, its] = [numbers(own), numbers(theirs)];
  if (!mine || !its || (mine[0] === its[0] && mine[1] === its[1])) {
    return '';
  }
  const isServerNewer = its[0] > mine[0] || (its[0] === mine[0] && its[1] > mine[1]);
  return isServerNewer
    ? t(NEWER, { theirs, own })
    : t(OLDER, { theirs, own });
}

function numbers(version: string): [number, number] | null {
  const found = /^(\d+)\.(\d+)/.exec(version);
  return found && [Number(found[1]), Number(found[2])];
}
