import assert from 'node:assert/strict';
import test from 'node:test';

import { page, settled } from './site.js';

const CONFIG = '<script id="jupyter-config-data" type="application/json">{"baseUrl": "/hub/"}</script>';

/** A panel on a page of its own; `answer` is what the page's server answers, null where it has none. */
async function panel(name, answer) {
  const window = page();
  globalThis.location = window.location;
  window.document.body.append(window.document.createRange().createContextualFragment(answer ? CONFIG : ''));
  globalThis.navigator ??= {};
  globalThis.WebSocket = class { close() {} };
  const [fetched, said] = [[], []];
  globalThis.fetch = async url => {
    fetched.push(url);
    return answer();
  };
  const model = { get: key => ({ version: '0.1.0', extras: {} })[key], on: () => {}, off: () => {}, send: told => said.push(told) };
  const { default: module } = await import(`../lib/panel.js?${name}`);
  const el = window.document.createElement('div');
  const end = module.render({ el, model });
  await settled();
  const sentences = () => [...el.querySelectorAll('.tj-Condition')].filter(line => !line.hidden).map(line => line.textContent);
  return { el, end, fetched, said, sentences };
}

const answering = (status, body) => () => Response.json(body, { status });

test('on a page that is not Jupyter’s, calls go to the kernel', async () => {
  const { end, fetched, said, sentences } = await panel('no page', null);
  assert.match(sentences().join(), /all goes through the kernel, and buttons may wait/);
  assert.ok(said.some(({ type, path }) => type === 'call' && path === '/v3/tapisjobs/server'));
  assert.deepEqual(fetched, []);
  end();
});

test('where the page’s server knows nothing of jobs, the kernel’s does', async () => {
  const { el, end, fetched, said, sentences } = await panel('stranger', answering(404, { message: 'Not found' }));
  assert.ok(fetched[0].startsWith('http://127.0.0.1/hub/tapis/v3/'));
  assert.match(sentences().join(), /through the kernel/);
  assert.ok(said.some(({ type }) => type === 'call'));
  assert.equal(el.querySelectorAll('.tj-Frame').length, 1);
  end();
});

test('a page of the server itself leaves the kernel in peace; another version is told', async () => {
  const { el, end, said, sentences } = await panel('own page', answering(200, { result: { version: '0.2.0' } }));
  assert.match(sentences().join(), /^The server has Tapis Jobs 0\.2\.0, this panel is of 0\.1\.0/);
  assert.deepEqual(said, []);
  end();
  assert.equal(el.childElementCount, 0);
});

test('a sign-in that has ended is told', async () => {
  const { end, sentences } = await panel('signed out', answering(401, { message: 'Sign in first.' }));
  assert.match(sentences().join(), /not signed in at the Jupyter server any more/);
  end();
});

test('keys in the panel are its own, but Ctrl+S still saves the notebook', async () => {
  const { el, end } = await panel('keys', answering(200, { result: { version: '0.1.0' } }));
  const window = el.ownerDocument.defaultView;
  el.ownerDocument.body.append(el);
  const isKept = key => {
    let kept = null;
    const look = () => (kept = el.querySelector('.tj-Panel').hasAttribute('data-lm-suppress-shortcuts'));
    window.document.addEventListener('keydown', look, { capture: true, once: true });
    el.querySelector('[role=tab]').dispatchEvent(new window.KeyboardEvent('keydown', { bubbles: true, ...key }));
    return kept;
  };
  assert.deepEqual(
    [{ key: 'd' }, { key: 's', ctrlKey: true }, { key: 'Enter' }, { key: 'S', metaKey: true }, { key: 'a', ctrlKey: true }].map(isKept),
    [true, false, true, false, true]
  );
  end();
});
