/** How long an answer is waited for where the network may have gone silent. */

import { later, type Later } from './painter.js';

/** Milliseconds: for what the server knows by itself, and for what it may ask a host or a person for. */
const PROMPT = 15_000;
const PATIENT = 300_000;

/** Milliseconds until that is asked for again which the server did not answer. */
export const AGAIN = 5000;

const BY_ITSELF =
  /^(POST \/v3\/jobs\/search|GET \/v3\/(apps|systems|jobs\/\{jobUuid\}(\/history)?|tapisjobs\/(jobs\/(counts|extras)|studies|server)))$/;

/** How long the answer of a route may take, in ms. */
export function patience(route: string): number {
  return BY_ITSELF.test(route) ? PROMPT : PATIENT;
}

/** What `ask` brings; an error when it takes longer than `ms`, and what it asks by the signal is given up. */
export async function inTime<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>, wait: Later = later): Promise<T> {
  const giving = new AbortController();
  let unwait = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    unwait = wait(() => {
      giving.abort();
      reject(new TypeError('no answer in time'));
    }, ms);
  });
  try {
    return await Promise.race([ask(giving.signal), late]);
  } finally {
    unwait();
  }
}
