import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './site.js';

const window = page();
globalThis.window = window;
const { Chips } = await import('../lib/views/chips.js');
const { Bulk } = await import('../lib/views/bulk.js');
const { Dock } = await import('../lib/views/dock.js');
const { press } = await import('../lib/views/keys.js');
const { Selection } = await import('../lib/core/selection.js');
const { RefusedError } = await import('../lib/core/client.js');

const settle = () => new Promise(resolve => setImmediate(resolve));
const named = (node, name) => [...node.querySelectorAll('button')].find(button => button.textContent === name);

test('a chip is there for each group that has jobs, and pressed ones stay though none is left', () => {
  const heard = [];
  const chips = new Chips(groups => heard.push([...groups]));
  const seen = () => [...chips.node.children].filter(chip => !chip.hidden).map(chip => chip.textContent);
  assert.deepEqual(seen(), []);
  chips.tell(new Map([['running', 3], ['failed', 1200]]));
  assert.deepEqual(seen(), [`▶ running ${(3).toLocaleString()}`, `✗ failed ${(1200).toLocaleString()}`]);
  [...chips.node.children].find(chip => chip.textContent.includes('running')).click();
  chips.tell(new Map());
  assert.deepEqual(seen(), ['▶ running 0']);
  [...chips.node.children].find(chip => !chip.hidden).click();
  assert.deepEqual(heard, [['running'], []]);
});

/** The bar of three chosen jobs, one of which is hidden; `cancel` answers. */
function bulk(cancel) {
  const names = new Map([['a', 'one'], ['b', '<img src=x onerror=alert(1)>']]);
  const selection = new Selection(() => view.draw());
  const view = new Bulk({
    jobs: { cancel },
    selection,
    shown: () => ['a', 'b'],
    name: uuid => names.get(uuid),
    all: async () => ['a', 'b', 'c', 'd'],
    total: () => 4
  });
  selection.add(['a', 'b', 'c']);
  return { view, selection };
}

test('chosen jobs that cannot be seen are counted too', () => {
  const { view, selection } = bulk();
  assert.match(view.node.textContent, /3 selected, 1 not in view/);
  selection.clear();
  assert.equal(view.node.firstElementChild.hidden, true);
});

test('many are cancelled after one question with their number and names, as text', async () => {
  const asked = [];
  const { view } = bulk(async uuids => {
    asked.push(uuids);
    return uuids.map(uuid => ({ uuid, status: uuid === 'b' ? 'error' : 'success', message: 'It has ended already.' }));
  });
  named(view.node, 'Cancel…').click();
  assert.deepEqual(asked, []);
  assert.match(view.node.textContent, /End these 3 jobs\? one, <img src=x onerror=alert\(1\)>, c/);
  named(view.node, 'Cancel 3 jobs').click();
  await settle();
  assert.deepEqual(asked, [['a', 'b', 'c']]);
  assert.match(view.node.textContent, /2 of 3 are asked to end\..*<img src=x onerror=alert\(1\)>: It has ended already\./);
  assert.equal(view.node.querySelector('img'), null);
});

test('a no to the question ends nothing', () => {
  const { view } = bulk(() => assert.fail('it was asked to end jobs'));
  named(view.node, 'Cancel…').click();
  named(view.node, 'Keep').click();
  assert.equal(view.node.querySelector('[role=alertdialog]').hidden, true);
});

test('a refusal of all is told in the words of the server', async () => {
  const { view } = bulk(async () => {
    throw new RefusedError(503, 'Not now; try again.');
  });
  named(view.node, 'Cancel…').click();
  named(view.node, 'Cancel 3 jobs').click();
  await settle();
  assert.match(view.node.textContent, /Not cancelled: Not now; try again\./);
});

test('select all means all that the filter finds, loaded or not', async () => {
  const { view, selection } = bulk();
  named(view.node, 'Select all 4').click();
  await settle();
  assert.deepEqual(selection.uuids, ['a', 'b', 'c', 'd']);
});

test('keys are not taken from who types a text, nor from who holds a modifier', () => {
  const acted = [];
  const keys = [{ keys: ['j'], words: 'down', act: () => acted.push('j') }];
  const [input, place] = [window.document.createElement('input'), window.document.createElement('div')];
  place.append(input);
  place.addEventListener('keydown', event => press(keys, event));
  const type = (node, init) => node.dispatchEvent(new window.KeyboardEvent('keydown', { bubbles: true, ...init }));
  type(place, { key: 'j' });
  type(input, { key: 'j' });
  type(place, { key: 'j', ctrlKey: true });
  type(place, { key: 'z' });
  assert.deepEqual(acted, ['j']);
});

test('of two jobs opened quickly the last one is shown, and the other is put away', async () => {
  const made = [];
  const dock = new Dock(
    async uuid => {
      await settle();
      const shown = { node: window.document.createElement('p'), isGone: false, dispose: () => (shown.isGone = true) };
      shown.node.textContent = uuid;
      made.push(shown);
      return shown;
    },
    () => undefined
  );
  await Promise.all([dock.open('a'), dock.open('b')]);
  assert.deepEqual(made.map(({ node, isGone }) => [node.textContent, isGone]), [['a', true], ['b', false]]);
  assert.match(dock.node.textContent, /b$/);
  dock.close();
  assert.equal(made[1].isGone, true);
  assert.equal(dock.node.hidden, true);
});
