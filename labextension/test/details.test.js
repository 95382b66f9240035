import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

const window = page();
const { DetailsView } = await import('../lib/views/details.js');

const JOB = '/v3/jobs/u';
const at = second => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const row = (status, second, more = {}) => ({
  uuid: 'u', name: 'bridge', status, created: at(0), lastUpdated: at(second), tags: [], notes: '{}', parameterSet: '{}', ...more
});
const state = (status, second) => ({ event: 'JOB_NEW_STATUS', eventDetail: status, created: at(second) });
const OUT = `GET ${JOB}/output/list/tapisjob.out`;

const shownViews = [];
test.afterEach(() => shownViews.splice(0).forEach(shown => shown.dispose()));

async function view(job, more = {}) {
  const answers = {
    [`GET ${JOB}`]: job,
    [`GET ${JOB}/history`]: [state('PENDING', 0), state(job.status, 5)],
    [OUT]: [{ name: 'tapisjob.out', size: 0 }],
    ...more
  };
  const server = site(answers);
  const time = clock();
  const shown = new DetailsView(server, 'u', time.later);
  shownViews.push(shown);
  document.body.replaceChildren(shown.node);
  await settled();
  const tab = name => [...shown.node.querySelectorAll('[role=tab]')].find(each => each.textContent === name);
  const panel = name => document.getElementById(tab(name).getAttribute('aria-controls'));
  const open = async name => {
    shown.show(name);
    await settled();
    return panel(name);
  };
  return { ...server, site: server, answers, shown, time, tab, panel, open };
}

test('the head tells glyph, state, name and words, and a new row changes them', async () => {
  const { shown, watchers } = await view(row('QUEUED', 5));
  assert.equal(shown.node.querySelector('.tj-Status').textContent, '◷ QUEUED');
  watchers[0].news(row('FINISHED', 9, { ended: at(12) }), state('FINISHED', 9));
  assert.equal(shown.node.querySelector('header').textContent, '✓ FINISHEDbridgedone in 12 s');
  watchers[0].news(row('RUNNING', 8), state('RUNNING', 8));
  assert.equal(shown.node.querySelector('.tj-Status').textContent, '✓ FINISHED');
});

test('a hostile name is text', async () => {
  const { shown } = await view(row('RUNNING', 5, { name: '<img src=x onerror=alert(1)>\u202eexe' }));
  assert.equal(shown.node.querySelector('h2').textContent, '<img src=x onerror=alert(1)>exe');
  assert.equal(shown.node.querySelector('img'), null);
});

test('tabs are moved through by keys, and one panel is shown', async () => {
  const { shown, tab, panel } = await view(row('RUNNING', 5));
  const key = (name, on) => tab(on).dispatchEvent(new window.KeyboardEvent('keydown', { key: name, bubbles: true }));
  key('ArrowRight', 'Output');
  assert.equal(document.activeElement, tab('Files'));
  key('End', 'Files');
  key('ArrowRight', 'Notes');
  key('ArrowLeft', 'Output');
  assert.equal(tab('Notes').getAttribute('aria-selected'), 'true');
  assert.deepEqual(['Output', 'Notes'].map(name => panel(name).hidden), [true, false]);
});

test('the output is that file which the request names', async () => {
  const parameterSet = '{"logConfig": {"stdoutFilename": "log.txt"}}';
  const { shown, tails } = await view(row('RUNNING', 5, { parameterSet }), { [`GET ${JOB}/output/list/log.txt`]: [{ size: 3 }] });
  assert.deepEqual(tails.map(tail => tail.path), ['log.txt']);
  shown.dispose();
  assert.ok(tails[0].isStopped);
});

test('a failed job tells why by the end of its output, and is submitted again with what may mend it', async () => {
  const asked = [];
  const job = row('FAILED', 9, { condition: 'SCHEDULER_TIMEOUT', maxMinutes: 10 });
  const { shown } = await view(job, {
    [OUT]: [{ size: 9 }],
    [`GET ${JOB}/output/follow/tapisjob.out`]: () => new Response('step 3\n'),
    [`POST ${JOB}/resubmit`]: body => asked.push(body) && { name: 'bridge', uuid: 'u2' }
  });
  const pane = shown.node.querySelector('.tj-Failure');
  assert.match(pane.textContent, /stopped at the time limit of 10 min; last line: step 3→ job.resubmit\(maxMinutes=20\)/);
  press(pane, 'Submit again with maxMinutes 20');
  await settled();
  assert.deepEqual(asked, [{ maxMinutes: 20 }]);
  assert.match(pane.textContent, /Submitted as bridge \(u2\)/);
});

test('a server that does not answer is told, and what is known stays', async () => {
  const { shown, answers, watchers } = await view(row('RUNNING', 5));
  answers[`GET ${JOB}`] = new TypeError('Failed to fetch');
  watchers[0].ask();
  await settled();
  assert.match(shown.node.querySelector('.tj-Trouble').textContent, /does not answer/);
  assert.equal(shown.node.querySelector('h2').textContent, 'bridge');
  answers[`GET ${JOB}`] = row('FINISHED', 9);
  watchers[0].ask();
  await settled();
  assert.ok(shown.node.querySelector('.tj-Trouble').hidden);
});

const LOST = new TypeError('Failed to fetch');
const FILES = `GET ${JOB}/output/list/`;
const REQUEST = `GET ${JOB}/resubmit_request`;
const A_FILE = { name: 'a.txt', type: 'file', size: 5 };

for (const [name, route, answer, words] of [
  ['Files', FILES, [A_FILE], /a\.txt/],
  ['Request', REQUEST, { name: 'bridge' }, /"name": "bridge"/],
  ['Script', REQUEST, {}, /No script is among the files/]
]) {
  test(`the tab ${name} that was not answered is asked for again once the server answers`, async () => {
    const { answers, open, watchers } = await view(row('RUNNING', 5), { [route]: LOST });
    const panel = await open(name);
    assert.match(panel.textContent, /The server does not answer\./);
    answers[route] = answer;
    watchers[0].ask();
    await settled();
    assert.match(panel.textContent, words);
    assert.doesNotMatch(panel.textContent, /does not answer/);
  });
}

test('a preview that was not answered is asked for again after a while, as long as it is seen', async () => {
  const preview = `GET ${JOB}/output/preview/a.txt`;
  const { answers, open, shown, time } = await view(row('RUNNING', 5), { [FILES]: [A_FILE], [preview]: LOST });
  const panel = await open('Files');
  press(panel, 'a.txt');
  await settled();
  assert.match(panel.textContent, /The server does not answer\./);
  const tries = () => time.waiting.filter(({ ms }) => ms === 5000);
  assert.equal(tries().length, 1);
  shown.setVisible(false);
  assert.equal(tries().length, 0);
  shown.setVisible(true);
  await settled();
  assert.match(panel.textContent, /The server does not answer\./);
  answers[preview] = { kind: 'text', text: 'hello', note: '' };
  tries()[0].work();
  await settled();
  assert.equal(panel.querySelector('pre').textContent.trim(), 'hello');
  assert.doesNotMatch(panel.textContent, /does not answer/);
});

test('a job that the server does not know is told in its words', async () => {
  const { shown } = await view(row('RUNNING', 5), { [`GET ${JOB}`]: () => refusal(404, 'there is no job u, or it is not yours.') });
  assert.match(shown.node.textContent, /there is no job u, or it is not yours\./);
});

test('request and resolved job are shown as JSON, files inside them cut short', async () => {
  const fileInputs = [{ name: 'script', targetPath: 'script.sh', sourceUrl: `data:;base64,${btoa('echo <b>\n'.repeat(50))}` }];
  const more = {
    [`GET ${JOB}/resubmit_request`]: { name: 'bridge', fileInputs },
    [`GET ${JOB}/output/download/tapisjob.sh`]: () => new Response('#!/bin/sh\n')
  };
  const { shown, open } = await view(row('RUNNING', 5), more);
  const texts = [...(await open('Request')).querySelectorAll('pre')].map(pre => pre.textContent);
  assert.match(texts[0], /data:;base64,[^"]{20,80}… \(\d+ B\)/);
  assert.deepEqual(JSON.parse(texts[1]).parameterSet, {});
  const scripts = await open('Script');
  assert.deepEqual([...scripts.querySelectorAll('.tj-Caption')].map(name => name.textContent), ['script.sh', 'tapisjob.sh']);
  assert.ok(scripts.querySelector('pre').textContent.startsWith('echo <b>\n'));
});

test('a request is offered as code, and said where a cell cannot say it', async () => {
  const given = { name: 'bridge', appId: 'bash' };
  const asked = [];
  const inserted = [];
  const more = {
    [`GET ${JOB}/resubmit_request`]: given,
    'POST /v3/tapisjobs/code': body => asked.push(body) && { cell: asked.length > 1 ? null : '%%tapisjob bash', python: 'p', json: '{}' }
  };
  const { open, site } = await view(row('RUNNING', 5), more);
  site.insertCode = code => void inserted.push(code);
  let request = await open('Request');
  press(request, 'Open in a cell');
  await settled();
  assert.deepEqual([asked[0], inserted], [{ request: given }, ['%%tapisjob bash']]);
  press(request, 'Open in a cell');
  await settled();
  assert.match(request.textContent, /No cell can say the same/);
  delete site.insertCode;
  request = await open('Request');
  assert.throws(() => press(request, 'Open in a cell'));
});

test('tags and a note are stored, and what a program noted stays', async () => {
  const stored = [];
  const more = Object.fromEntries(
    ['PUT', 'PATCH'].map(verb => [`${verb} ${JOB}/annotation`, body => stored.push([verb, body]) && {}])
  );
  const { shown, open } = await view(row('RUNNING', 5, { tags: ['a'], notes: '{"dapi": 1}' }), more);
  const notes = await open('Notes');
  const [tags, note] = notes.querySelectorAll('input, textarea');
  assert.equal(tags.value, 'a');
  tags.value = 'a, b,, a ';
  note.value = 'looks <b>good</b>';
  note.dispatchEvent(new Event('input'));
  press(notes, 'Save');
  await settled();
  assert.deepEqual(stored, [['PUT', { tags: ['a', 'b'] }], ['PATCH', { notes: { note: 'looks <b>good</b>' } }]]);
  assert.match(notes.textContent, /Saved\./);
  assert.match(notes.querySelector('details').textContent, /"dapi": 1/);
});

test('a note that is being written is not lost when the server is asked again, nor when it refuses', async () => {
  const more = { [`PATCH ${JOB}/annotation`]: () => refusal(400, 'notes would have too many bytes.') };
  const { shown, open, watchers } = await view(row('RUNNING', 5), more);
  const notes = await open('Notes');
  const note = notes.querySelector('textarea');
  note.value = 'draft';
  note.dispatchEvent(new Event('input'));
  watchers[0].ask();
  await settled();
  press(notes, 'Save');
  await settled();
  assert.equal(note.value, 'draft');
  assert.match(notes.textContent, /too many bytes/);
});

test('a hidden view causes no traffic, and goes on where it was when it is seen again', async () => {
  const { shown, tails, watchers, asked } = await view(row('RUNNING', 5));
  tails[0].listener('one\n');
  shown.setVisible(false);
  await settled();
  const before = asked.length;
  assert.ok(tails[0].isStopped);
  assert.equal(watchers.length, 0);
  await settled();
  assert.equal(asked.length, before);
  shown.setVisible(true);
  await settled();
  assert.equal(watchers.length, 1);
  assert.deepEqual(tails.slice(1).map(tail => tail.offset), [4]);
});
