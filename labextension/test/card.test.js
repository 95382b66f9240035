import assert from 'node:assert/strict';
import test from 'node:test';

import { begin, isTicking, lastLines, reduce } from '../lib/card.js';
import { readSavedCard, results, stdoutName } from '../lib/job.js';

const saved = (status, lastUpdated, more = {}) =>
  readSavedCard({ uuid: 'u', name: 'n', job: { status, lastUpdated, ...more }, history: [['PENDING', '1']] });
const state = (status, at) => begin(saved(status, at));
const row = (status, lastUpdated, event) => ({ kind: 'row', job: { status, lastUpdated }, event });

test('news moves a card on and keeps what it does not mention', () => {
  const after = reduce(begin(saved('PENDING', '1', { maxMinutes: 5 })), row('RUNNING', '2'));
  assert.deepEqual(after.job, { status: 'RUNNING', lastUpdated: '2', maxMinutes: 5 });
});

test('late news does not move a card back', () => {
  assert.equal(reduce(state('RUNNING', '5'), row('QUEUED', '4')).job.status, 'RUNNING');
});

test('a job that has ended stays ended', () => {
  assert.equal(reduce(state('FINISHED', '5'), row('ARCHIVING', '6')).job.status, 'FINISHED');
});

test('each status is noted once', () => {
  const event = { event: 'JOB_NEW_STATUS', eventDetail: 'RUNNING', created: '2' };
  const twice = reduce(reduce(state('PENDING', '1'), row('RUNNING', '2', event)), row('RUNNING', '2', event));
  assert.deepEqual(twice.history, [['PENDING', '1'], ['RUNNING', '2']]);
});

test('a kernel that is behind the server takes nothing away', () => {
  const ahead = reduce(reduce(state('RUNNING', '2'), row('FINISHED', '3')), { kind: 'standing', standing: 'known' });
  const printed = reduce(ahead, { kind: 'printed', text: 'all of it', afresh: true });
  const after = reduce(printed, { kind: 'saved', card: saved('RUNNING', '2'), now: 1 });
  assert.equal(after.job.status, 'FINISHED');
  assert.deepEqual(lastLines(after, 3), ['all of it']);
});

test('a kernel is heard where this server does not know the job', () => {
  const alone = reduce(state('RUNNING', '2'), { kind: 'standing', standing: 'unknown' });
  const card = { ...saved('RUNNING', '2'), tail: ['from far away'] };
  const after = reduce(alone, { kind: 'saved', card, now: 1000 });
  assert.deepEqual(lastLines(after, 3), ['from far away']);
  assert.ok(isTicking(after, 2000));
  assert.ok(!isTicking(after, 200_000));
});

test('an endless output keeps only its end', () => {
  const printed = reduce(state('RUNNING', '1'), { kind: 'printed', text: 'x'.repeat(1e6) + '\nend', afresh: true });
  assert.ok(printed.printed.length < 100_000);
  assert.deepEqual(lastLines(printed, 1), ['end']);
});

test('a card that is no card is read without harm', () => {
  for (const odd of [null, 7, 'text', [], { job: [], history: [1, ['a']], tail: [null], outputs: ['x'], failure: 1 }]) {
    assert.equal(begin(readSavedCard(odd)).uuid, '');
  }
});

test('results are what the program wrote', () => {
  const files = ['disp.csv', 'model.py', 'tapisjob.out', 'tapisjob.sh', 'tapisjob_app.sh', 'python-1.0.zip'];
  const job = { fileInputs: '[{"targetPath": "model.py"}]', containerImage: 'tapis://local/apps/python-1.0.zip' };
  const found = results(files.map(path => ({ path, size: 1 })), job).map(({ path }) => path);
  assert.deepEqual(found, ['disp.csv', 'tapisjob.out']);
});

test('the file that the program prints to is the one the request names', () => {
  assert.equal(stdoutName({ parameterSet: '{"logConfig": {"stdoutFilename": "log.txt"}}' }), 'log.txt');
  assert.equal(stdoutName({ parameterSet: 'not JSON' }), 'tapisjob.out');
});
