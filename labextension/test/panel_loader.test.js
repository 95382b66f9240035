import assert from 'node:assert/strict';
import test from 'node:test';

import { page, settled } from './site.js';
import { render } from '../lib/panel_loader.js';

const CONFIG = '<script id="jupyter-config-data" type="application/json">{"baseUrl": "/hub/"}</script>';

/** A place in a page, and a kernel that says what it is told to say. */
function place(html = '') {
  const window = page();
  globalThis.location = window.location;
  window.document.body.append(window.document.createRange().createContextualFragment(html));
  const [said, hearing] = [[], new Set()];
  const model = {
    get: () => '',
    on: (_, hear) => hearing.add(hear),
    off: (_, hear) => hearing.delete(hear),
    send: told => said.push(told)
  };
  const el = window.document.createElement('div');
  const answer = (...beside) => hearing.forEach(hear => hear({ type: 'module', id: said[0].id }, beside));
  return { el, model, said, hearing, answer };
}

/** A panel that tells where it is and that it has ended. */
function module(log) {
  return { default: { render: ({ el }) => (el.append('a panel'), () => log.push('ended')) } };
}

test('the panel comes from the server of the page, and the kernel is left in peace', async () => {
  const { el, model, said } = place(CONFIG);
  const log = [];
  const end = await render({ el, model }, async address => (log.push(address), module(log)));
  assert.match(log[0], /\/hub\/tapis\/v3\/tapisjobs\/panel\/panel\.js$/);
  assert.match(el.querySelector('link').href, /\/panel\.css$/);
  assert.equal(el.textContent, 'a panel');
  assert.deepEqual(said, []);
  end();
  assert.equal(log[1], 'ended');
});

for (const [where, html] of [['a page that is not Jupyter’s', ''], ['a page of a server without it', CONFIG]]) {
  test(`on ${where} the kernel brings it, and until then it is said what is waited for`, async () => {
    const { el, model, said, hearing, answer } = place(html);
    const log = [];
    const load = async address => {
      if (!address.startsWith('blob:')) {
        throw new TypeError('404');
      }
      return module(log);
    };
    const end = await render({ el, model }, load);
    assert.match(el.textContent, /when the running cell has ended/);
    assert.equal(said[0].type, 'module');
    answer(new TextEncoder().encode('export default {}'), new TextEncoder().encode('.a {}'));
    await settled();
    await settled();
    assert.equal(el.querySelector('style').textContent, '.a {}');
    assert.ok(el.textContent.endsWith('a panel'));
    assert.equal(hearing.size, 0);
    end();
    assert.deepEqual(log, ['ended']);
  });
}

test('a panel that was taken away before it came is not drawn', async () => {
  const { el, model, answer } = place();
  const end = await render({ el, model }, async () => module([]));
  end();
  answer(new Uint8Array(), new Uint8Array());
  await settled();
  await settled();
  assert.doesNotMatch(el.textContent, /a panel/);
});
