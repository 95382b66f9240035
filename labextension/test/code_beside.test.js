import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

const window = page();
const { CodeBeside } = await import('../lib/views/code_beside.js');
const { Allocations } = await import('../lib/core/allocations.js');

const CODE = 'POST /v3/tapisjobs/code';

function shown(answer, { isOpen = true, isFilled = true } = {}) {
  const found = site({ [CODE]: answer });
  const time = clock();
  const beside = new CodeBeside(found.client, async () => ({ appId: 'a' }), () => isFilled, time.later);
  window.document.body.replaceChildren(beside.node);
  beside.node.open = isOpen;
  const pre = () => beside.node.querySelector('pre');
  return { ...found, ...time, beside, pre };
}

test('the code follows the form once one has stopped typing, and is text', async () => {
  const { beside, pre, next, waiting, asked } = shown({ cell: '%%tapisjob a\n<b>', python: 'submit()', json: '{}' });
  beside.changed();
  beside.changed();
  assert.equal(waiting.length, 1);
  next();
  await settled();
  assert.equal(pre().textContent, '%%tapisjob a\n<b>');
  assert.equal(beside.node.querySelector('b'), null);
  press(beside.node, 'Python');
  assert.equal(pre().textContent, 'submit()');
  assert.equal(asked.length, 1);
});

test('folded it asks nothing', async () => {
  const { beside, waiting } = shown({ cell: '', python: '', json: '' }, { isOpen: false });
  beside.changed();
  assert.equal(waiting.length, 0);
});

test('what no cell can say is told, and a refusal too', async () => {
  const { beside, pre, next } = shown({ cell: null, python: 'p', json: '{}' });
  beside.changed();
  next();
  await settled();
  assert.equal(pre().hidden, true);
  assert.match(beside.node.textContent, /No cell can say the same/);
  const bad = shown(refusal(400, 'values.env must be an object.'));
  bad.beside.changed();
  bad.next();
  await settled();
  assert.match(bad.beside.node.textContent, /must be an object/);
});

test('while something is missing that is needed, no cell is not told for one that cannot be', async () => {
  const { beside, next } = shown({ cell: null, python: 'p', json: '{}' }, { isFilled: false });
  beside.changed();
  next();
  await settled();
  assert.match(beside.node.textContent, /Fill in what is marked \*/);
});

test('allocations are offered for the system they were used on, the last one first', () => {
  const kept = new Map();
  const storage = { getItem: name => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  const used = new Allocations(storage);
  ['one', 'two', 'one'].forEach(name => used.used('far', name));
  assert.deepEqual(used.of('far'), ['one', 'two']);
  assert.deepEqual(used.of('near'), []);
  kept.set('tapisjobs:allocations:near', '{broken');
  assert.deepEqual(used.of('near'), []);
  const closed = new Allocations({ getItem: () => { throw new Error('closed'); }, setItem: () => { throw new Error('closed'); } });
  closed.used('far', 'x');
  assert.deepEqual(closed.of('far'), []);
});
