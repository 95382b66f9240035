import assert from 'node:assert/strict';
import test from 'node:test';

import { page, clock } from './site.js';

page();
const { ColumnSets } = await import('../lib/core/column_sets.js');
const { each } = await import('../lib/core/each.js');
const { Asking } = await import('../lib/core/extras.js');
const { RefusedError } = await import('../lib/core/client.js');
const { ColumnMenu } = await import('../lib/views/column_menu.js');

const settle = () => new Promise(resolve => setImmediate(resolve));
const choice = (colId, more = {}) => ({ colId, hide: false, width: 100, flex: null, sort: null, sortIndex: null, ...more });

/** A browser's storage. */
function store(text = null) {
  const kept = { text };
  return { kept, getItem: () => kept.text, setItem: (_, value) => (kept.text = value) };
}

test('columns are found again as they were left, and sets of them under their names', () => {
  const browser = store();
  const sets = new ColumnSets(browser);
  sets.keep([choice('name', { sort: 'desc', sortIndex: 0 })]);
  assert.equal(sets.save(' mine ', [choice('status')]), true);
  assert.equal(sets.save('  ', [choice('status')]), false);
  const again = new ColumnSets(browser);
  assert.deepEqual(again.now, [choice('name', { sort: 'desc', sortIndex: 0 })]);
  assert.deepEqual(again.names, ['mine']);
  assert.deepEqual(again.take('mine'), [choice('status')]);
  again.remove('mine');
  assert.deepEqual([again.names, again.take('mine'), again.take('constructor')], [[], [], []]);
});

test('what else stands in the storage, or none at all, does no harm', () => {
  for (const text of ['', 'no json', '[]', '{"now": 7, "sets": [1]}', '{"now": [null, {"hide": true}], "sets": {"a": "b"}}']) {
    assert.deepEqual(new ColumnSets(store(text)).now, []);
  }
  assert.deepEqual(new ColumnSets(store('{"now": [{"colId": "name", "width": "wide", "sort": "up"}]}')).now, [choice('name', { width: null })]);
  const broken = { getItem: () => { throw new Error('no'); }, setItem: () => { throw new Error('full'); } };
  const sets = new ColumnSets(broken);
  assert.equal(sets.save('mine', []), false);
  assert.deepEqual(sets.now, []);
});

test('each of many jobs has its own answer, in the order they were given, four at a time', async () => {
  let flying = 0;
  let most = 0;
  const steps = [];
  const work = async uuid => {
    flying += 1;
    most = Math.max(most, flying);
    await settle();
    flying -= 1;
    if (uuid === 'b') {
      throw new RefusedError(409, 'It is not over.');
    }
    return `did ${uuid}`;
  };
  const outcomes = await each([...'abcdefghij'], work, done => steps.push(done));
  assert.equal(most, 4);
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(outcomes.map(({ status }) => status).join(' '), `success error ${'success '.repeat(8)}`.trim());
  assert.deepEqual(outcomes[1], { uuid: 'b', status: 'error', message: 'It is not over.' });
  assert.deepEqual(await each([], work), []);
});

test('values of rows that come together are asked for in one call, and a refusal leaves the next one be', async () => {
  const time = clock();
  const asked = [];
  const told = [];
  const values = async uuids => {
    asked.push(uuids.length);
    if (asked.length === 1) {
      throw new Error('gone');
    }
    return { [uuids[0]]: { drift: 1 } };
  };
  const asking = new Asking({ values }, some => told.push(some), time.later);
  asking.put(Array.from({ length: 1200 }, (_, at) => `u${at}`));
  asking.put(['u0']);
  time.next();
  await settle();
  await settle();
  assert.deepEqual(asked, [1000, 200]);
  assert.deepEqual(told, [{ u1000: { drift: 1 } }]);
  asking.put(['u1']);
  asking.stop();
  assert.equal(time.waiting.length, 0);
});

test('columns are chosen in the menu, kept under a name as text, laid out so again and forgotten', () => {
  const sets = new ColumnSets(store());
  const acts = [];
  const menu = new ColumnMenu({
    offers: () => [{ colId: 'name', title: 'Name', isShown: true }, { colId: 'tags', title: 'Tags', isShown: false }],
    setShown: (...told) => acts.push(told),
    layout: () => [choice('name')],
    lay: layout => acts.push(layout),
    hiddenToo: isToo => acts.push(isToo),
    sharedToo: isToo => acts.push(['shared', isToo])
  }, sets);
  document.body.append(menu.node);
  menu.opener.click();
  const [name, tags] = menu.node.querySelectorAll('.tj-Choices input');
  assert.deepEqual([name.checked, tags.checked], [true, false]);
  tags.click();
  menu.node.querySelector('.tj-SaveSet input').value = '<i>mine</i>';
  menu.node.querySelector('.tj-SaveSet button').click();
  const buttons = () => [...menu.node.querySelectorAll('.tj-Set button')];
  assert.deepEqual(buttons().map(button => button.textContent), ['<i>mine</i>', '✕']);
  assert.equal(menu.node.querySelector('i'), null);
  buttons()[0].click();
  buttons()[1].click();
  assert.deepEqual(buttons(), []);
  [...menu.node.querySelectorAll('input[type=checkbox]')].slice(-2).forEach(box => box.click());
  menu.node.remove();
  assert.deepEqual(acts, [['tags', true], [choice('name')], true, ['shared', true]]);
});
