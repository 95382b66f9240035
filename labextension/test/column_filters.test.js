import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, settled } from './site.js';

const window = page();
const { conditions, filterOf, filtersOf, isSame } = await import('../lib/core/column_filters.js');
const { filteredBy, filtersIn, fitted, laidOut, ColumnSets } = await import('../lib/core/column_sets.js');
const { KnownPages } = await import('../lib/core/known_pages.js');
const { ColumnFilterForm } = await import('../lib/views/column_filter.js');
const { FilterChips } = await import('../lib/views/filter_chips.js');

const choice = (colId, more = {}) => ({ colId, hide: false, width: 100, flex: null, sort: null, sortIndex: null, ...more });

test('a filter becomes conditions of a search, and what is typed stays what it is', () => {
  const asked = (column, op, ...values) => conditions({ [column]: { op, values } });
  assert.deepEqual(asked('status', 'in', 'FAILED', 'PAUSED'), { 'status.in': 'FAILED,PAUSED' });
  assert.deepEqual(asked('appId', 'in', 'a,b'), { 'appId.in': 'a\\,b' });
  assert.deepEqual(asked('name', 'holds', 'a\\b'), { 'name.holds': 'a\\\\b' });
  assert.deepEqual(asked('name', 'starts', '5!*'), { 'name.like': '5\\!\\**' });
  assert.deepEqual(asked('nodeCount', 'between', '2', '8'), { 'nodeCount.gte': '2', 'nodeCount.lte': '8' });
  assert.deepEqual({ ...asked('exitCode', 'neq', '0'), ...asked('uuid', 'eq', 'u') }, { 'exitCode.neq': '0', 'uuid.eq': 'u' });
});

test('days are those of the person: from midnight to midnight, also where a day has 23 hours', () => {
  const day = (year, month, date) => new Date(year, month - 1, date).toISOString();
  const asked = (op, ...values) => conditions({ created: { op, values } });
  assert.deepEqual(asked('on', '2026-03-29'), { 'created.gte': day(2026, 3, 29), 'created.lt': day(2026, 3, 30) });
  assert.deepEqual(asked('between', '2026-02-28', '2026-02-28'), { 'created.gte': day(2026, 2, 28), 'created.lt': day(2026, 3, 1) });
  assert.deepEqual(asked('before', '2026-01-01'), { 'created.lt': day(2026, 1, 1) });
});

test('a filter that was kept and is none any more is left out', () => {
  assert.deepEqual(filterOf('name', { op: 'holds', values: [' mesh '] }), { op: 'holds', values: ['mesh'] });
  const odd = [
    ['name', { op: 'holds', values: [''] }], ['name', { op: 'in', values: ['a'] }], ['name', null], ['gone', { op: 'eq', values: ['a'] }],
    ['toString', { op: 'eq', values: ['a'] }], ['nodeCount', { op: 'eq', values: ['many'] }], ['created', { op: 'on', values: ['2026-99-99'] }],
    ['created', { op: 'between', values: ['2026-01-01'] }], ['status', { op: 'in', values: [] }]
  ];
  assert.deepEqual(odd.map(([column, raw]) => filterOf(column, raw)), odd.map(() => null));
  assert.deepEqual(filtersOf({ name: { op: 'eq', values: ['a'] }, gone: 1 }), { name: { op: 'eq', values: ['a'] } });
  assert.equal(isSame({ name: { op: 'eq', values: ['a'] } }, { name: { values: ['a'], op: 'eq' } }), true);
  assert.equal(isSame({ name: { op: 'eq', values: ['a'] } }, {}), false);
});

test('filters are kept with the columns, and found again under the name of the set', () => {
  const kept = {};
  const store = { getItem: key => kept[key] ?? null, setItem: (key, value) => (kept[key] = value) };
  const filters = { name: { op: 'holds', values: ['mesh'] } };
  new ColumnSets(store).save('meshes', filteredBy([choice('name'), choice('status')], filters));
  const again = new ColumnSets(store).take('meshes');
  assert.deepEqual(filtersIn(again), filters);
  assert.deepEqual(filteredBy(again, {}), [choice('name'), choice('status')]);
});

test('a column that is left out for want of room is there again where there is room, unless somebody has said no', () => {
  const far = new Set(['appId', 'created']);
  const narrow = [choice('name', { width: 70 }), choice('appId', { hide: true }), choice('created', { hide: true })];
  const hidden = layout => layout.filter(({ hide }) => hide).map(({ colId }) => colId);
  assert.deepEqual(hidden(laidOut(narrow, [], far, new Map())), []);
  assert.deepEqual(hidden(laidOut(narrow, [choice('appId', { hide: true })], far, new Map())), ['appId']);
  assert.deepEqual(hidden(laidOut(narrow, [], far, new Map([['appId', false]]))), ['appId']);
  const shown = laidOut(narrow, [], far, new Map([['created', true]]));
  assert.deepEqual(hidden(fitted(shown, far)), ['appId']);
  assert.deepEqual(hidden(fitted(laidOut(shown, shown, far, new Map()), far)), ['appId']);
});

test('pages of the last answer stay known until another question is answered', () => {
  const pages = new KnownPages();
  const answer = uuid => ({ rows: [{ uuid }], total: 1 });
  pages.keep('all', 0, answer('a'));
  pages.keep('all', 100, answer('b'));
  assert.deepEqual([pages.from(0), pages.from(100)], [answer('a'), answer('b')]);
  pages.keep('failed', 0, answer('c'));
  assert.deepEqual([pages.from(0), pages.from(100)], [answer('c'), undefined]);
  for (let start = 0; start <= 2000; start += 100) {
    pages.keep('failed', start, answer(`${start}`));
  }
  assert.deepEqual([pages.from(0), pages.from(2000)], [undefined, answer('2000')]);
});

/** The form of a column, as the grid makes it. */
function form(colId, kind, choices) {
  const made = new ColumnFilterForm();
  const heard = [];
  made.init({ kind, title: colId, choices, column: { getColId: () => colId }, filterChangedCallback: () => heard.push(made.getModel()) });
  window.document.body.append(made.getGui());
  made.afterGuiAttached({ hidePopup: () => heard.push('closed') });
  return { made, heard, node: made.getGui() };
}

const submit = node => node.dispatchEvent(new window.Event('submit', { cancelable: true }));

test('a condition is chosen and its value typed; Enter holds at once and closes, Clear takes it away', () => {
  const { made, heard, node } = form('nodeCount', 'number');
  const [value, upTo] = node.querySelectorAll('input');
  assert.deepEqual([value.hidden, upTo.hidden, made.isFilterActive()], [false, true, false]);
  node.querySelector('select').value = 'between';
  node.querySelector('select').dispatchEvent(new window.Event('change'));
  [value.value, upTo.value] = ['2', '8'];
  submit(node);
  assert.deepEqual(heard, [{ op: 'between', values: ['2', '8'] }, 'closed']);
  press(node, 'Clear');
  assert.deepEqual([heard.at(-1), made.isFilterActive(), value.value], [null, false, '']);
  made.destroy();
  node.remove();
});

test('a filter that was kept stands in its form', () => {
  const { made, node } = form('name', 'text');
  made.setModel({ op: 'starts', values: ['mesh'] });
  assert.deepEqual([node.querySelector('select').value, node.querySelector('input').value], ['starts', 'mesh']);
  made.setModel(null);
  assert.deepEqual([node.querySelector('input').value, made.isFilterActive()], ['', false]);
  node.remove();
});

test('the values that jobs have are offered with their numbers, as text, and ticked ones hold at once', async () => {
  const values = { '<b>app</b>': 3, bash: 1200, ...Object.fromEntries([...'abcdefgh'].map(name => [name, 1])) };
  const { made, heard, node } = form('appId', 'choice', async () => ({ values, isAll: false }));
  await settled();
  const lines = () => [...node.querySelectorAll('.tj-Offers label')].filter(line => !line.hidden);
  assert.deepEqual(lines().slice(0, 2).map(line => line.textContent.trim()), ['<b>app</b> 3', `bash ${(1200).toLocaleString()}`]);
  assert.match(node.textContent, /Not all are listed/);
  const find = node.querySelector('input[type=search]');
  find.value = 'BAS';
  find.dispatchEvent(new window.Event('input'));
  assert.equal(lines().length, 1);
  lines()[0].querySelector('input').click();
  assert.deepEqual(heard, [{ op: 'in', values: ['bash'] }]);
  lines()[0].querySelector('input').click();
  assert.deepEqual([heard.at(-1), made.getModel()], [null, null]);
  node.remove();
});

test('choices that cannot be had are told, and what is chosen can still be taken away', async () => {
  const { made, heard, node } = form('appId', 'choice', async () => { throw new TypeError('fetch failed'); });
  made.setModel({ op: 'in', values: ['bash'] });
  await settled();
  assert.match(node.textContent, /The server does not answer\./);
  node.querySelector('.tj-Offers input').click();
  assert.deepEqual(heard, [null]);
  node.remove();
});

test('each filter is a chip that says what it asks for and takes it away', () => {
  const removed = [];
  const chips = new FilterChips(column => ({ status: 'State', nodeCount: 'Nodes' })[column], column => removed.push(column));
  chips.draw({ status: { op: 'in', values: ['FAILED', 'PAUSED'] }, nodeCount: { op: 'between', values: ['2', '8'] } });
  assert.deepEqual([...chips.node.children].map(chip => chip.textContent), ['State is FAILED or PAUSED✕', 'Nodes is between 2 and 8✕']);
  assert.equal(chips.node.children[0].title, 'Take the filter away: State is FAILED or PAUSED');
  chips.node.children[1].click();
  assert.deepEqual(removed, ['nodeCount']);
  chips.draw({});
  assert.equal(chips.node.hidden, true);
});
