import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, refusal, settled, site } from './site.js';

const window = page();
const { Picker } = await import('../lib/views/picker.js');
const { above, addressOf, inside, placeOf } = await import('../lib/core/places.js');

const file = name => ({ name, path: name, type: 'file', size: 2100, lastModified: '' });
const folder = name => ({ name, path: name, type: 'dir', size: 0, lastModified: '' });
const OPS = 'GET /v3/files/ops';

async function shown(given = {}, answers = {}) {
  const chosen = [];
  const found = site({
    'GET /v3/systems': [{ id: 'local' }, { id: 'far' }, { id: 'old', enabled: false }],
    [`${OPS}/local/`]: [file('<b>.txt'), folder('runs')],
    [`${OPS}/local/runs`]: [file('a b.msh')],
    [`${OPS}/far/`]: refusal(503, 'far cannot be reached: <i>.'),
    ...answers
  });
  const done = address => chosen.push(address);
  const picker = new Picker(found.client, { label: 'Mesh', wanted: 'both', address: '', system: 'local', done, ...given });
  window.document.body.replaceChildren(picker.node);
  await settled();
  const entries = () => [...picker.node.querySelectorAll('.tj-Entry')].map(each => each.firstChild.textContent);
  return { ...found, picker, chosen, entries, told: () => picker.node.textContent };
}

test('folders come first, all names are text, and a file is chosen by its address', async () => {
  const { picker, entries, chosen, told } = await shown({ address: 'tapis://local/x' });
  assert.deepEqual(entries(), ['runs/', '<b>.txt']);
  assert.match(told(), /2\.1 KB/);
  assert.equal(picker.node.querySelector('b'), null);
  press(picker.node, 'runs/');
  await settled();
  press(picker.node, 'a b.msh');
  assert.deepEqual(chosen, ['tapis://local/runs/a b.msh']);
});

test('where a folder is wanted a file cannot be chosen, and the folder can', async () => {
  const { picker, chosen } = await shown({ wanted: 'directory', address: 'tapis://local/runs' });
  press(picker.node, 'a b.msh');
  assert.deepEqual(chosen, []);
  press(picker.node, 'Choose this folder');
  assert.deepEqual(chosen, ['tapis://local/runs']);
  press(picker.node, '↑ Up');
  await settled();
  assert.match(picker.node.querySelector('input').value, /^\/$/);
});

test('where a file is wanted the folder cannot be chosen', async () => {
  const { picker } = await shown({ wanted: 'file' });
  assert.throws(() => press(picker.node, 'Choose this folder'));
});

test('a system that cannot be reached says so, and another one can be chosen', async () => {
  const { picker, told, entries } = await shown({ address: 'tapis://far/x' });
  assert.match(told(), /far cannot be reached: <i>\./);
  assert.equal([...picker.node.querySelectorAll('button')].find(each => each.textContent.startsWith('Choose')).disabled, true);
  const menu = picker.node.querySelector('select');
  assert.deepEqual([...menu.options].map(each => each.value), ['local', 'far']);
  menu.value = 'local';
  menu.dispatchEvent(new window.Event('change'));
  await settled();
  assert.deepEqual(entries(), ['runs/', '<b>.txt']);
});

test('the answer for a folder that was left already is passed over', async () => {
  let come;
  const { picker, entries } = await shown({ address: 'tapis://local/x' }, { [`${OPS}/local/runs`]: () => new Promise(resolve => (come = resolve)) });
  press(picker.node, 'runs/');
  await settled();
  press(picker.node, '↑ Up');
  await settled();
  come([file('late')]);
  await settled();
  assert.deepEqual(entries(), ['runs/', '<b>.txt']);
});

test('a path is gone to by Enter, and Escape chooses nothing', async () => {
  const { picker, entries, chosen } = await shown({ address: 'tapis://local/x' });
  const path = picker.node.querySelector('input');
  path.value = '/runs/';
  path.dispatchEvent(new window.KeyboardEvent('keydown', { key: 'Enter' }));
  await settled();
  assert.deepEqual(entries(), ['a b.msh']);
  path.dispatchEvent(new window.KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  assert.deepEqual(chosen, [null]);
});

test('a long folder says that there is more', async () => {
  const many = Array.from({ length: 501 }, (_, at) => file(`f${at}`));
  const { entries, told } = await shown({ address: 'tapis://local/x' }, { [`${OPS}/local/`]: many });
  assert.equal(entries().length, 500);
  assert.match(told(), /first 500 entries/);
});

test('an address is a place and the other way round', () => {
  assert.deepEqual(placeOf(' tapis://s/a//b/'), { system: 's', path: 'a/b' });
  assert.equal(placeOf('https://s/a'), null);
  assert.equal(placeOf('tapis:///a'), null);
  assert.equal(addressOf(inside(above({ system: 's', path: 'a/b' }), 'c')), 'tapis://s/a/c');
  assert.equal(addressOf(above({ system: 's', path: '' })), 'tapis://s/');
});

test('arrows move in the list, which is one stop of the tab key', async () => {
  const { picker } = await shown({ address: 'tapis://local/x' });
  const [first, second] = picker.node.querySelectorAll('.tj-Entry');
  assert.deepEqual([first.tabIndex, second.tabIndex], [0, -1]);
  const arrow = key => window.document.activeElement.dispatchEvent(new window.KeyboardEvent('keydown', { key, bubbles: true }));
  first.focus();
  arrow('ArrowDown');
  assert.equal(window.document.activeElement, second);
  arrow('ArrowDown');
  assert.equal(window.document.activeElement, second);
  arrow('Home');
  assert.equal(window.document.activeElement, first);
});

test('the next picker begins where somebody looked last', async () => {
  globalThis.localStorage = window.localStorage;
  const { picker } = await shown({ address: 'tapis://local/x' });
  press(picker.node, 'runs/');
  await settled();
  const { entries } = await shown();
  assert.deepEqual(entries(), ['a b.msh']);
  delete globalThis.localStorage;
});

const own = (...names) => names.map(([name, path]) => ({ name, path }));

test('without a folder that was looked at before it begins at home, and work and scratch are one press away', async () => {
  globalThis.localStorage = window.localStorage;
  localStorage.clear();
  const places = own(['HOME', '/home1/me'], ['SCRATCH', '/scratch/me']);
  const { picker, entries } = await shown({ address: '' }, {
    'GET /v3/tapisjobs/hosts/local/places': places,
    [`${OPS}/local/home1/me`]: [file('mine.tcl')],
    [`${OPS}/local/scratch/me`]: [file('big.h5')]
  });
  assert.deepEqual(entries(), ['mine.tcl']);
  press(picker.node, 'Scratch');
  await settled();
  assert.deepEqual(entries(), ['big.h5']);
  delete globalThis.localStorage;
});

test('a folder of another system is no beginning', async () => {
  globalThis.localStorage = window.localStorage;
  localStorage.clear();
  const first = await shown({ address: 'tapis://local/runs/x' });
  assert.deepEqual(first.entries(), ['a b.msh']);
  const { told } = await shown({ system: 'far' });
  assert.match(told(), /far cannot be reached/);
  delete globalThis.localStorage;
});

test('a path that somebody writes is not written over when the places of the system are told', async () => {
  let tell;
  const { picker, entries } = await shown({ system: 'far' }, { 'GET /v3/tapisjobs/hosts/local/places': () => new Promise(resolve => (tell = resolve)) });
  const menu = picker.node.querySelector('select');
  menu.value = 'local';
  menu.dispatchEvent(new window.Event('change'));
  await settled();
  const path = picker.node.querySelector('input');
  path.value = '/runs';
  path.dispatchEvent(new window.Event('input'));
  tell(own(['HOME', '/home1/me']));
  await settled();
  assert.equal(path.value, '/runs');
  path.dispatchEvent(new window.KeyboardEvent('keydown', { key: 'Enter' }));
  await settled();
  assert.deepEqual(entries(), ['a b.msh']);
  press(picker.node, 'Home');
});

test('a path that somebody is about to replace is not written over, and told when she leaves it', async () => {
  let tell;
  const places = { 'GET /v3/tapisjobs/hosts/local/places': () => new Promise(resolve => (tell = resolve)), [`${OPS}/local/home1/me`]: [file('mine.tcl')] };
  const { picker, entries } = await shown({ system: 'far' }, places);
  const menu = picker.node.querySelector('select');
  menu.value = 'local';
  menu.dispatchEvent(new window.Event('change'));
  await settled();
  const path = picker.node.querySelector('input');
  path.focus();
  path.select();
  tell(own(['HOME', '/home1/me']));
  await settled();
  assert.deepEqual([entries(), path.value], [['mine.tcl'], '/']);
  path.blur();
  assert.equal(path.value, '/home1/me');
});
