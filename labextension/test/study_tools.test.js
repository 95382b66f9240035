import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, refusal, settled, site } from './site.js';

const window = page();
const { combinations, extension, valuesIn } = await import('../lib/core/study_extend.js');
const { measured, numbersIn, parameterAxes, results, ticks } = await import('../lib/core/study_results.js');
const { casesOf } = await import('../lib/core/studies.js');
const { rowsCode, rowsIn } = await import('../lib/core/study_rows.js');
const { StudyExtend } = await import('../lib/views/study_extend.js');
const { StudyPlot } = await import('../lib/views/study_plot.js');

const HOSTILE = '<img src=x onerror=alert(1)>';
const CASES = casesOf({
  caseId: ['a', 'b', 'c'],
  parameters: [{ k: 1, soil: 'clay', depth: 2 }, { k: 2, soil: HOSTILE, depth: 2 }, { k: 4, soil: 'clay', depth: 2 }],
  jobUuid: ['ja', 'jb', 'jc'],
  status: ['FINISHED', 'FINISHED', 'FAILED'],
  runSeconds: [1.5, 3, 0.2]
});
const preview = (kind, more) => ({ kind, columns: [], rows: [], text: '', ...more });
const table = value => preview('table', { columns: ['k', 'drift', 'words'], rows: [[1, '0.1', 'x'], [2, String(value), 'y']] });
const path = uuid => `GET /v3/jobs/${uuid}/output/preview/peak.csv`;

function select(node, label, value) {
  const menu = node.querySelector(`select[aria-label="${label}"]`);
  menu.value = value;
  menu.dispatchEvent(new window.Event('change'));
}

/** The picture of the cases, unfolded. */
async function plot(answers = {}) {
  const opened = [];
  const at = site(answers);
  const view = new StudyPlot(at.client, uuid => opened.push(uuid));
  document.body.replaceChildren(view.node);
  view.node.open = true;
  view.update('wind', CASES);
  const read = async told => {
    view.node.querySelector('input').value = told;
    view.node.querySelector('form').dispatchEvent(new Event('submit', { cancelable: true }));
    await settled();
  };
  return { ...at, view, node: view.node, opened, read, marks: () => [...view.node.querySelectorAll('circle')].map(each => each.textContent) };
}

test('parameters that differ are axes, words stand in their order', () => {
  assert.deepEqual(parameterAxes(CASES), [
    { name: 'k', words: null, values: [1, 2, 4] },
    { name: 'soil', words: ['clay', HOSTILE], values: [0, 1, 0] }
  ]);
  assert.deepEqual(parameterAxes(casesOf({ caseId: ['a', 'b'] }))[0].values, [0, 1]);
});

test('the server measured what any case has', () => {
  assert.deepEqual(measured(CASES).map(({ name }) => name), ['running time (s)']);
});

test('numbers come from the last row of a table and from a JSON object', () => {
  assert.deepEqual(numbersIn(table(0.25)), { k: 2, drift: 0.25 });
  assert.deepEqual(numbersIn(preview('json', { text: '{"drift": 3, "name": "x", "ok": true}' })), { drift: 3 });
  assert.deepEqual(numbersIn(preview('text', { text: 'hello' })), {});
});

test('ticks are round and span the values, also one value and none', () => {
  assert.deepEqual(ticks([0.13, 0.97], 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks([], 5), [0, 1]);
  const around = ticks([7], 4);
  assert.ok(around[0] < 7 && around.at(-1) > 7);
});

test('only cases that are done are read, and one without the output keeps none of the others back', async () => {
  const at = site({ [path('ja')]: table(0.1), [path('jb')]: () => refusal(404, 'There is no peak.csv.') });
  assert.deepEqual(await results(at.client, CASES, 'peak.csv'), [
    { name: 'k', values: [2, null, null] },
    { name: 'drift', values: [0.1, null, null] }
  ]);
  assert.equal(at.asked.length, 2);
});

test('each case is a mark that tells its values and opens its job', async () => {
  const { node, marks, opened } = await plot();
  assert.deepEqual(marks()[1], `k 2, soil ${HOSTILE}, depth 2: running time (s) 3`);
  node.querySelectorAll('circle')[2].dispatchEvent(new window.Event('click'));
  assert.deepEqual(opened, ['jc']);
  assert.deepEqual([...node.querySelectorAll('circle')].map(each => each.dataset.tone), ['finished', 'finished', 'failed']);
  assert.equal(node.querySelector('svg').getAttribute('aria-label'), 'running time (s) over k: 3 cases');
});

test('a result that was read is drawn at once, over any parameter, and names are text', async () => {
  const { node, read, marks } = await plot({ [path('ja')]: table(0.1), [path('jb')]: table(0.4) });
  await read('peak.csv');
  assert.match(node.querySelector('[role=status]').textContent, /peak\.csv: read of 2 cases/);
  assert.equal(node.querySelector('select').value, 'drift');
  select(node, 'What is drawn', 'drift');
  select(node, 'Over which parameter', 'soil');
  assert.deepEqual(marks().map(told => told.split(': ')[1]), ['drift 0.1', 'drift 0.4']);
  assert.equal(node.querySelector('img'), null);
});

test('of many cases some are drawn, and the picture says so', async () => {
  const { view, node } = await plot();
  const many = Array.from({ length: 9000 }, (_, place) => ({ ...CASES[0], parameters: { k: place } }));
  view.update('wide', many);
  assert.equal(node.querySelectorAll('circle').length, 3000);
  assert.match(node.querySelector('svg').getAttribute('aria-label'), /one mark for each 3 of them/);
});

test('an output that no case has is told, and what was measured stays', async () => {
  const { node, read, marks } = await plot();
  await read('peak.csv');
  assert.match(node.querySelector('[role=status]').textContent, /⚠ peak\.csv: there is no/);
  assert.equal(marks().length, 3);
});

test('values are numbers, truths, words and ranges, as Python writes them', () => {
  assert.deepEqual(valuesIn('1, 2.5e-3, 007, true, clay, "x'), ['1', '2.5e-3', '7', 'True', '"clay"', '"\\"x"']);
  assert.deepEqual(valuesIn('-1..2'), ['-1', '0', '1', '2']);
  assert.throws(() => valuesIn('5..1'), /must go up/);
  assert.equal(combinations([{ name: 'k', words: ['1', '2'] }, { name: 'd', words: ['3'] }]), 2);
});

test('the code holds hostile names as texts of Python', () => {
  assert.match(extension('a"); import os #', [{ name: 'k', words: ['1'] }]), /study\("a\\"\); import os #"\)/);
});

test('an extension is shown as code while it is typed, and goes into a cell', async () => {
  const put = [];
  const view = new StudyExtend({ ...site(), insertCode: code => void put.push(code) });
  document.body.replaceChildren(view.node);
  view.update('wind', CASES);
  const entries = [...view.node.querySelectorAll('input')];
  assert.equal(entries.length, 3);
  ['5..6', 'clay', '2'].forEach((told, place) => {
    entries[place].value = told;
    entries[place].dispatchEvent(new window.Event('input'));
  });
  assert.match(view.node.querySelector('figcaption').textContent, /runs 2 cases/);
  press(view.node, 'Put it into a cell');
  await settled();
  assert.match(put[0], /"k": \[5, 6\],\n {4}"soil": \["clay"\],/);
  view.update('wind', [...CASES]);
  assert.equal(view.node.querySelector('input'), entries[0]);
});

test('rows are CSV or columns of a spreadsheet, whose first row names the parameters of the study', () => {
  const commas = rowsIn('k, soil\r\n1,"clay, wet"\r\n2,"a ""b"""\n\n', ['k', 'soil'], ['k', 'soil']);
  assert.deepEqual(commas, { columns: ['k', 'soil'], rows: [['1', '"clay, wet"'], ['2', '"a \\"b\\""']] });
  assert.deepEqual(rowsIn('soil\tk\nclay\t007', ['k', 'soil'], ['k']).rows, [['"clay"', '7']]);
  assert.match(rowsCode('wind"', commas), /study\("wind\\""\)\nstudy\.extend\(\[\n {4}\{"k": 1, "soil": "clay, wet"\},\n/);
});

test('a table that does not fit the parameters of the study says where', () => {
  const rows = told => () => rowsIn(told, ['k', 'soil'], ['k']);
  assert.throws(rows('k,sand\n1,2'), /no parameter sand; .*: k, soil\./);
  assert.throws(rows('k,k\n1,2'), /k is there twice/);
  assert.throws(rows('soil\nclay'), /k is missing/);
  assert.throws(rows('k,soil\n1,clay\n2'), /Row 3 must have a value for each of: k, soil/);
  assert.throws(rows('k,soil\n1,'), /Row 2/);
  assert.throws(rows(`k\n${'1\n'.repeat(2001)}`), /too many for a cell/);
  assert.deepEqual(rowsIn('k\n1', ['k', 'soil'], ['k']).rows, [['1']]);
});

test('a pasted table comes before typed values, and what is wrong with it is told', () => {
  const view = new StudyExtend(site());
  document.body.replaceChildren(view.node);
  view.update('wind', CASES);
  const table = view.node.querySelector('textarea');
  const names = Object.keys(CASES[0].parameters);
  const type = told => {
    table.value = told;
    table.dispatchEvent(new window.Event('input'));
  };
  type(`${names.join(',')}\n${names.map(() => '1').join(',')}`);
  assert.match(view.node.querySelector('figcaption').textContent, /runs 1 case/);
  type('<b>\n1');
  assert.match(view.node.querySelector('.tj-Fault').textContent, /no parameter <b>/);
  assert.equal(view.node.querySelector('figcaption'), null);
});
