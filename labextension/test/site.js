/** A page without a browser, and a server that answers from a table. */

import { JSDOM } from 'jsdom';

import { Client } from '../lib/core/client.js';

export function page() {
  const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://127.0.0.1/lab', pretendToBeVisual: false });
  for (const name of ['document', 'HTMLElement', 'Event', 'KeyboardEvent', 'MouseEvent', 'Node']) {
    globalThis[name] = window[name];
  }
  return window;
}

/** `answers` maps `GET /v3/…?query` to a result, a Response, an Error or a function of the body. */
export function site(answers = {}) {
  const asked = [];
  const tails = [];
  const watchers = [];
  const answer = async (method, path, body) => {
    asked.push(`${method} ${path}`);
    const found = answers[`${method} ${path}`] ?? answers[`${method} ${path.split('?')[0]}`];
    const made = typeof found === 'function' ? await found(body && JSON.parse(body), path) : found;
    if (made instanceof Error) {
      throw made;
    }
    if (made instanceof Response) {
      return made;
    }
    return made === undefined ? refusal(404, `there is no ${path}`) : Response.json({ result: made });
  };
  const wire = { request: answer, url: path => `http://127.0.0.1/tapis${path}` };
  const live = {
    watch: (uuid, watcher) => {
      watchers.push(watcher);
      return () => watchers.splice(watchers.indexOf(watcher), 1);
    },
    tail: (uuid, path, offset, listener, ended) => {
      const tail = { uuid, path, offset, listener, ended, isStopped: false };
      tails.push(tail);
      return () => (tail.isStopped = true);
    }
  };
  return { client: new Client(wire), wire, live, asked, tails, watchers };
}

export function refusal(status, message, result = null) {
  return Response.json({ message, result }, { status });
}

/** A clock that moves when told. */
export function clock() {
  const waiting = [];
  const later = (work, ms) => {
    const entry = { work, ms };
    waiting.push(entry);
    return () => waiting.splice(waiting.indexOf(entry), 1);
  };
  return { later, waiting, next: () => waiting.shift()?.work() };
}

/** Until all that waits for an answer has it. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** The button with these words below `node`. */
export function press(node, label) {
  const found = [...node.querySelectorAll('button')].find(each => each.textContent.startsWith(label));
  if (!found || found.hidden) {
    throw new Error(`there is no button ${label}`);
  }
  found.click();
}
