import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, settled, site } from './site.js';

page();
const { Frame } = await import('../lib/views/frame.js');
// What the frame fetches when it is needed is there already: no test waits for the disk.
await Promise.all(['apps', 'studies', 'submit'].map(name => import(`../lib/views/${name}.js`)));

const APPS = 'GET /v3/apps';
const APP = { id: 'solver', version: '1', enabled: true };

function tab(frame, name) {
  return [...frame.node.querySelectorAll('[role=tab]')].find(each => each.textContent === name);
}

test('only the place that is seen is at work', async t => {
  const server = site({ [APPS]: [APP], 'GET /v3/systems': [], 'GET /v3/tapisjobs/hosts': [], 'GET /v3/tapisjobs/studies': [] });
  const frame = new Frame(server);
  t.after(() => frame.dispose());
  frame.go('Studies');
  frame.show(true);
  await settled();
  assert.equal(server.watchers.length, 1);
  tab(frame, 'Apps').click();
  await settled();
  assert.equal(frame.place, 'Apps');
  assert.equal(server.watchers.length, 0);
  assert.match(frame.node.querySelector('[role=tabpanel]:not([hidden])').textContent, /solver/);
  tab(frame, 'Studies').click();
  await settled();
  assert.equal(server.watchers.length, 1);
  frame.show(false);
  await settled();
  assert.equal(server.watchers.length, 0);
});

test('an app of the catalogue is opened in the form', async t => {
  const server = site({ [APPS]: [APP] });
  const frame = new Frame(server);
  t.after(() => frame.dispose());
  frame.show(false);
  frame.go('Apps');
  frame.show(true);
  await settled();
  press(frame.node, 'Submit…');
  await settled();
  assert.equal(frame.place, 'Submit');
  assert.equal(server.asked.at(-1), 'GET /v3/tapisjobs/apps/solver/1/form');
});
