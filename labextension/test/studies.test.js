import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

page();
const { caseName, casesOf, failedCases, squares } = await import('../lib/core/studies.js');
const { countWords } = await import('../lib/views/study_list.js');
const { squareWords } = await import('../lib/views/study_map.js');
const { StudiesView } = await import('../lib/views/studies.js');

const STUDIES = '/v3/tapisjobs/studies';
const study = (name, counts, more = {}) => ({
  name, counts, cases: Object.values(counts).reduce((sum, count) => sum + count, 0), maxFailures: null, maxRunning: null, ...more
});
const frame = rows => ({
  caseId: rows.map(([id]) => id),
  jobUuid: rows.map(([id]) => `${id}-job`),
  status: rows.map(([, status]) => status),
  condition: rows.map(([, , condition]) => condition ?? null),
  exitCode: rows.map(([, , , code]) => code ?? null)
});
const ROWS = [['a', 'FINISHED'], ['b', 'FAILED', 'SCHEDULER_TIMEOUT', 0], ['c', 'RUNNING'], ['d', 'FAILED', 'JOB_EXECUTION_MONITORING_ERROR', 3]];
const told = { FINISHED: 1, FAILED: 2, RUNNING: 1 };

/** The view of two studies, with a clock that moves when told. */
async function view(answers = {}, host = {}) {
  const at = site({
    [`GET ${STUDIES}`]: [study('wind', told), study('<img src=x>', { PENDING: 3 })],
    [`GET ${STUDIES}/wind/frame`]: () => frame(ROWS),
    'GET /v3/jobs/b-job': { uuid: 'b-job', maxMinutes: 10 },
    ...answers
  });
  const time = { ...clock(), now: 0 };
  const shown = new StudiesView(at, host, time.later, () => time.now);
  document.body.replaceChildren(shown.node);
  const turn = async () => {
    time.next();
    await settled();
  };
  await turn();
  return { ...at, time, shown, turn, node: shown.node };
}

async function opened(answers, host) {
  const made = await view(answers, host);
  press(made.node, 'wind');
  await made.turn();
  return made;
}

const marks = node => [...node.querySelectorAll('.tj-Square')].map(each => `${each.textContent}${each.dataset.tone}`);
const hidden = node => node.closest('[hidden]') !== null;

test('cases are read from a table of columns, with what is missing as nothing', () => {
  assert.deepEqual(casesOf({ caseId: ['a'], jobUuid: ['u'], status: [null], exitCode: [null] }), [
    { id: 'a', parameters: {}, jobUuid: 'u', status: '', condition: '', exitCode: null, queueSeconds: null, runSeconds: null }
  ]);
  assert.deepEqual(casesOf({}), []);
});

test('a case is called by its parameters, cut where they are long', () => {
  const [one, long, none] = casesOf({ caseId: ['a', 'b', 'c'], parameters: [{ k: 3, soil: 'clay' }, { text: 'x'.repeat(99) }, {}], jobUuid: ['u', 'v', 'w'], status: ['FAILED', 'FAILED', 'FAILED'], exitCode: [2, 2, 2] });
  assert.equal(squareWords({ cases: [one], status: 'FAILED' }), 'k 3, soil clay: FAILED, exit code 2');
  assert.equal(caseName(long).length, 81);
  assert.equal(caseName(none), 'c');
});

test('failed cases that ended alike are one group, the largest first', () => {
  const cases = casesOf(frame([['a', 'FAILED', 'X', 1], ['b', 'FAILED', 'X', 2], ['c', 'FAILED', 'X', 2], ['d', 'FINISHED', 'X', 2]]));
  assert.deepEqual(failedCases(cases).map(group => [group.exitCode, group.cases.map(({ id }) => id)]), [[2, ['b', 'c']], [1, ['a']]]);
});

test('where there are more cases than squares, one square stands for neighbours and shows the trouble among them', () => {
  const cases = casesOf(frame([['a', 'FINISHED'], ['b', 'FAILED'], ['c', 'FINISHED'], ['d', 'QUEUED'], ['e', 'FINISHED']]));
  const found = squares(cases, 3);
  assert.deepEqual(found.map(({ status }) => status), ['FAILED', 'QUEUED', 'FINISHED']);
  assert.equal(squareWords(found[0]), 'a to b: 1 FINISHED, 1 FAILED');
  assert.deepEqual(squares([], 3), []);
});

test('a study is told by how many of its cases have ended and how', () => {
  assert.equal(countWords(study('s', { FINISHED: 1497, FAILED: 17, QUEUED: 486 })),
    `${(1514).toLocaleString()} of ${(2000).toLocaleString()} ended   ✓ ${(1497).toLocaleString()} finished   ✗ 17 failed   ◷ 486 queued`);
});

test('each study has a bar with its value, and names are text', async () => {
  const { node } = await view();
  const bars = [...node.querySelectorAll('.tj-StudyList [role=progressbar]')];
  assert.deepEqual(bars.map(bar => [bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-valuemax')]), [['3', '4'], ['0', '3']]);
  assert.deepEqual([...bars[0].children].map(part => [part.dataset.tone, part.style.width]), [['finished', '25%'], ['failed', '50%'], ['running', '25%']]);
  assert.equal(node.querySelector('img'), null);
  assert.ok(node.querySelector('.tj-StudyList').textContent.includes('<img src=x>'));
});

test('who has no study yet is told what one is', async () => {
  const { node } = await view({ [`GET ${STUDIES}`]: [] });
  assert.match(node.querySelector('.tj-Empty').textContent, /No studies yet/);
  assert.equal(hidden(node.querySelector('.tj-Empty')), false);
});

test('the map shows each case with glyph and colour, and in words', async () => {
  const { node } = await opened();
  assert.deepEqual(marks(node), ['✓finished', '✗failed', '▶running', '✗failed']);
  assert.deepEqual([...node.querySelectorAll('.tj-Square')].map(each => each.getAttribute('aria-label')),
    ['a: FINISHED', 'b: FAILED, exit code 0', 'c: RUNNING', 'd: FAILED, exit code 3']);
});

test('the arrows move in the map and Enter opens the job of a case', async () => {
  const seen = [];
  const details = async uuid => {
    seen.push(uuid);
    return { node: document.createElement('p'), dispose: () => undefined, setVisible: () => undefined };
  };
  const { node } = await opened({}, { details });
  const map = node.querySelector('[role=listbox]');
  for (const key of ['ArrowRight', 'ArrowRight', 'Enter', 'ArrowRight', 'ArrowRight', 'Enter']) {
    map.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  }
  assert.deepEqual(seen, ['c-job', 'd-job']);
  assert.equal(document.getElementById(map.getAttribute('aria-activedescendant')).title, 'd: FAILED, exit code 3');
});

test('a state that is heard changes its square at once and the numbers soon, without a new table', async () => {
  const answers = { [`GET ${STUDIES}`]: [study('wind', told)] };
  const made = await opened(answers);
  const { node, watchers, asked, turn } = made;
  answers[`GET ${STUDIES}`][0] = study('wind', { FINISHED: 2, FAILED: 2 });
  asked.length = 0;
  watchers[0].news({ uuid: 'c-job', status: 'FINISHED' }, { event: 'JOB_NEW_STATUS' });
  watchers[0].news({ uuid: 'elsewhere', status: 'FINISHED' }, { event: 'JOB_NEW_STATUS' });
  await turn();
  assert.deepEqual(marks(node)[2], '✓finished');
  await turn();
  assert.deepEqual(asked, [`GET ${STUDIES}?archived=false`]);
  assert.match(node.querySelector('.tj-OneStudy .tj-StudyWords').textContent, /4 of 4 ended/);
  assert.equal(made.time.waiting.length, 0);
});

test('late news do not undo what has ended', async () => {
  const { node, watchers, turn } = await opened();
  watchers[0].news({ uuid: 'a-job', status: 'RUNNING' }, { event: 'JOB_NEW_STATUS' });
  watchers[0].news({ uuid: 'a-job', status: 'ARCHIVING' }, { event: 'JOB_NEW_STATUS' });
  await turn();
  assert.equal(marks(node)[0], '✓finished');
});

test('cases that others added are found by their number, and not asked for again and again', async () => {
  const studies = [study('wind', told)];
  const rows = [...ROWS];
  const { node, watchers, turn, time } = await opened({ [`GET ${STUDIES}`]: () => studies, [`GET ${STUDIES}/wind/frame`]: () => frame(rows) });
  rows.push(['e', 'PENDING']);
  studies[0] = study('wind', { ...told, PENDING: 1 });
  watchers[0].news({ uuid: 'e-job', status: 'PENDING' }, { event: 'JOB_NEW_STATUS' });
  await turn();
  assert.equal(marks(node).length, 4);
  time.now = 5000;
  await turn();
  assert.equal(marks(node).length, 5);
  assert.equal(time.waiting.length, 0);
});

test('failures are told in groups with what mends them, and a retry takes that along', async () => {
  const given = [];
  const { node } = await opened({
    [`POST ${STUDIES}/wind/retry`]: body => {
      given.push(body);
      return { submitted: body.caseIds.map(caseId => ({ caseId })), errors: [] };
    }
  });
  await settled();
  const groups = [...node.querySelectorAll('.tj-Group')].map(each => each.textContent);
  assert.match(groups[0], /1 failed: stopped at the time limit of 10 min.*in b.*Retry 1 with maxMinutes 20/);
  assert.match(groups[1], /1 failed: exit code 3/);
  press(node.querySelector('.tj-Group'), 'Retry 1 with maxMinutes 20');
  press(node, 'Retry 2 failed');
  await settled();
  assert.deepEqual(given, [{ caseIds: ['b'], changes: { maxMinutes: 20 } }, { caseIds: ['b', 'd'], changes: {} }]);
  assert.match(node.querySelector('.tj-Note').textContent, /Submitted again: 2 cases\./);
});

test('a group that grows asks nothing again of the job that was looked at', async () => {
  const rows = [...ROWS];
  const studies = [study('wind', told)];
  const { node, watchers, turn, time, asked } = await opened({ [`GET ${STUDIES}`]: () => studies, [`GET ${STUDIES}/wind/frame`]: () => frame(rows) });
  rows[2] = ['c', 'FAILED', 'SCHEDULER_TIMEOUT', 0];
  studies[0] = study('wind', { FINISHED: 1, FAILED: 3 });
  asked.length = 0;
  time.now = 5000;
  watchers[0].ask();
  await turn();
  assert.match(node.querySelector('.tj-Group').textContent, /2 failed: stopped at the time limit of 10 min.*Retry 2 with maxMinutes 20/);
  assert.deepEqual(asked.filter(each => each.includes('/v3/jobs/')), []);
});

test('a study is cancelled after one question with its number and name', async () => {
  const { node, asked } = await opened({ [`POST ${STUDIES}/wind/cancel`]: { message: '1 cases of study wind are asked to end.' } });
  press(node, 'Cancel…');
  assert.match(node.querySelector('[role=alertdialog]').textContent, /End 1 case of study wind that have not ended\?/);
  assert.equal(document.activeElement.textContent, 'Cancel 1 case');
  press(node, 'Keep');
  assert.equal(asked.some(each => each.startsWith('POST')), false);
  press(node, 'Cancel…');
  press(node, 'Cancel 1 case');
  await settled();
  assert.match(node.querySelector('.tj-Note').textContent, /asked to end/);
});

test('a server that is gone is told, what is known stays, and it comes back by itself', async () => {
  let isGone = false;
  const list = () => (isGone ? new TypeError('network') : [study('wind', told)]);
  const { node, watchers, turn, time } = await opened({ [`GET ${STUDIES}`]: list });
  isGone = true;
  watchers[0].ask();
  await turn();
  assert.match(node.querySelector('.tj-Trouble').textContent, /does not answer.*tried again/);
  assert.equal(marks(node).length, 4);
  isGone = false;
  assert.equal(time.waiting[0].ms, 5000);
  await turn();
  assert.equal(hidden(node.querySelector('.tj-Trouble')), true);
});

test('a refusal is told in the words of the server', async () => {
  const { node } = await opened({ [`POST ${STUDIES}/wind/retry`]: refusal(409, 'The study is full.') });
  press(node, 'Retry 2 failed');
  await settled();
  assert.match(node.querySelector('.tj-Note').textContent, /The study is full\./);
});

test('a hidden view hears nothing and asks nothing, and looks again once it is seen', async () => {
  const { shown, watchers, asked, time, turn } = await opened();
  shown.show(false);
  assert.equal(watchers.length, 0);
  assert.equal(time.waiting.length, 0);
  asked.length = 0;
  shown.show(true);
  await turn();
  assert.deepEqual(asked, [`GET ${STUDIES}?archived=false`, `GET ${STUDIES}/wind/frame`]);
});
