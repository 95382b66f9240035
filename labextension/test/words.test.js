import assert from 'node:assert/strict';
import test from 'node:test';

import { age, clock, dots, duration, moment, place, printable, printedLines, sentence, size } from '../lib/words.js';

const at = seconds => Date.UTC(2026, 0, 1, 0, 0, seconds);
const CREATED = '2026-01-01T00:00:00.000000Z';

test('a running time has hours only when there are some', () => {
  assert.deepEqual([clock(7), clock(760), clock(3849), clock(-1)], ['00:07', '12:40', '1:04:09', '00:00']);
});

test('a time that has passed has the two units that matter', () => {
  assert.deepEqual(
    [0.42, 12.9, 185, 3849, 2 * 86400 + 3 * 3600].map(duration),
    ['0.4 s', '12 s', '3 min 05 s', '1 h 04 min', '2 d 03 h']
  );
});

test('sizes are in thousands, with one digit below ten', () => {
  assert.deepEqual([512, 4100, 41e6, 999_600, 5e12].map(size), ['512 B', '4.1 KB', '41 MB', '1.0 MB', '5.0 TB']);
});

test('a running job tells its time in this run and its limit', () => {
  const job = { status: 'RUNNING', created: CREATED, remoteStarted: '2026-01-01T00:00:10.000000Z', maxMinutes: 5 };
  assert.equal(sentence(job, at(17)), 'running 00:07 of 05:00 at most');
});

test('a job that has ended tells its whole time, whatever the clock says', () => {
  const ended = '2026-01-01T00:00:12.000000Z';
  assert.equal(sentence({ status: 'FINISHED', created: CREATED, ended }, at(5000)), 'done in 12 s');
  assert.equal(age({ status: 'FAILED', created: CREATED, ended }, at(5000)), 12);
});

test('a job that its owner did not cancel is not said to be', () => {
  const job = { status: 'CANCELLED', created: CREATED, ended: CREATED, condition: 'SCHEDULER_CANCELLED' };
  assert.equal(sentence(job, at(0)), 'cancelled after 0.0 s');
});

test('a queued job tells where, how long and what for', () => {
  const job = { status: 'QUEUED', created: CREATED, execSystemLogicalQueue: 'normal' };
  assert.equal(sentence(job, at(130)), 'in queue normal 02:10');
  const waits = { ...job, lastMessage: 'it waits for free nodes (Resources).' };
  assert.equal(sentence(waits, at(130)), 'in queue normal 02:10: it waits for free nodes (Resources)');
});

test('inputs on their way tell their bytes', () => {
  const job = { status: 'STAGING_INPUTS', created: CREATED, lastMessage: 'copying inputs 41 of 90 MB' };
  assert.equal(sentence(job, at(20)), 'copying inputs 41 of 90 MB 00:20');
  assert.equal(sentence({ ...job, lastMessage: null }, at(20)), 'copying inputs 00:20');
});

test('a job held back tells cause and next try', () => {
  const job = { status: 'BLOCKED', created: CREATED, lastMessage: 'rig refuses connections. Next try in 2 min.' };
  assert.equal(sentence(job, at(20)), 'rig refuses connections. Next try in 2 min.');
});

test('a clock behind the server shows no negative time', () => {
  assert.equal(sentence({ status: 'PENDING', created: CREATED }, at(-30)), 'accepted 00:00');
});

test('times without a zone are UTC', () => {
  assert.equal(moment('2026-01-01T00:00:00'), at(0));
  assert.equal(moment('2026-01-01T01:00:00+01:00'), at(0));
  assert.equal(moment('soon'), null);
});

test('dots are behind the job, where it is, and to come', () => {
  assert.equal(dots('RUNNING', []).join(' '), 'past past past past past here ahead ahead');
  assert.ok(dots('FINISHED', []).every(dot => dot === 'past'));
});

test('a job that failed is marked where its history ends', () => {
  const history = [
    ['PENDING', ''],
    ['STAGING_INPUTS', ''],
    ['FAILED', '']
  ];
  assert.equal(dots('FAILED', history).join(' '), 'past stopped ahead ahead ahead ahead ahead ahead');
});

test('the place names only what is known', () => {
  assert.equal(place({ execSystemId: 'local', jobType: 'FORK', nodeCount: 1, coresPerNode: 4 }), 'local · FORK · 1 node x 4 cores');
});

test('the place of a batch job names its launch mode and number, that of a process does not', () => {
  const job = { execSystemId: 'rig', execSystemLogicalQueue: 'normal', jobType: 'BATCH', remoteJobId: '4711_17' };
  assert.equal(place({ ...job, launchMode: 'array' }), 'rig · normal · BATCH array 4711_17');
  assert.equal(place({ ...job, launchMode: 'single', remoteJobId: '12' }), 'rig · normal · BATCH 12');
  assert.equal(place({ execSystemId: 'local', jobType: 'FORK', remoteJobId: '4242' }), 'local · FORK');
});

test('colours, moves of the cursor and marks that turn text are not shown', () => {
  assert.equal(printable('\u001b[31mred\u001b[0m \u202egpj.exe\u0007'), 'red gpj.exe');
});

test('of a progress bar the last form is shown', () => {
  assert.deepEqual(printedLines('10%\r55%\r99%\ndone\r\n'), ['99%', 'done', '']);
});
