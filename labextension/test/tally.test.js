import assert from 'node:assert/strict';
import test from 'node:test';

import { Tally } from '../lib/core/tally.js';
import { clock, settled, site } from './site.js';

const COUNTS = 'GET /v3/tapisjobs/jobs/counts';
const NOW = Date.parse('2026-11-21T12:00:00Z');

function desk(answer) {
  const page = site({ [COUNTS]: answer });
  const time = clock();
  const told = [];
  let now = NOW;
  const tally = new Tally(page.client, page.live, numbers => told.push(numbers), time.later, () => now);
  return { ...page, time, told, tally, pass: ms => (now += ms) };
}

const counted = (_, path) =>
  path.includes('status.eq=FAILED')
    ? { counts: { FAILED: 2 }, total: 2 }
    : { counts: { RUNNING: 3, ARCHIVING: 1, QUEUED: 10, PAUSED: 1, BLOCKED: 1, FINISHED: 900, FAILED: 70 }, total: 986 };

test('jobs are counted as running, waiting, held back and failed within a day', async () => {
  const { asked, told, time } = desk(counted);
  time.next();
  await settled();
  assert.deepEqual(told, [{ running: 4, waiting: 11, blocked: 1, failed: 2 }]);
  assert.ok(asked.some(each => each.includes('ended.gt=2026-11-20T12%3A00%3A00.000Z')), asked.join());
});

test('a thousand news make one further look, and a message without an event makes none', async () => {
  const { watchers, told, time } = desk(counted);
  time.next();
  await settled();
  watchers[0].news({ status: 'RUNNING' }, {});
  assert.equal(time.waiting.length, 0);
  for (let turn = 0; turn < 1000; turn += 1) {
    watchers[0].news({ status: 'RUNNING' }, { event: 'JOB_NEW_STATUS' });
  }
  assert.deepEqual(time.waiting.map(({ ms }) => ms), [1500]);
  time.next();
  await settled();
  assert.equal(told.length, 2);
});

test('a page that nobody looks at asks nothing, and asks again when somebody does', async () => {
  const { watchers, time, tally } = desk(counted);
  time.next();
  await settled();
  tally.show(false);
  watchers[0].news({}, { event: 'JOB_NEW_STATUS' });
  assert.equal(time.waiting.length, 0);
  tally.show(true);
  assert.equal(time.waiting.length, 1);
});

test('a server that is away is told, and asked again later', async () => {
  let isAway = true;
  const { told, time } = desk((body, path) => (isAway ? new TypeError('no network') : counted(body, path)));
  time.next();
  await settled();
  assert.deepEqual(told, [null]);
  isAway = false;
  assert.equal(time.waiting[0].ms, 20_000);
  time.next();
  await settled();
  assert.equal(told[1].running, 4);
});

test('after the end nothing is asked', async () => {
  const { time, tally, watchers } = desk(counted);
  tally.stop();
  assert.deepEqual([time.waiting.length, watchers.length], [0, 0]);
});
