import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './site.js';

page();
const { steps, TimelineView } = await import('../lib/views/timeline.js');

const at = second => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const state = (status, second, description = '') => ({ event: 'JOB_NEW_STATUS', eventDetail: status, created: at(second), description });
const now = second => Date.parse(at(second));

test('each state lasts until the next, and the last one until now', () => {
  const found = steps([state('PENDING', 0), state('QUEUED', 10), state('RUNNING', 40)], now(50));
  assert.deepEqual(found.map(step => step.seconds), [10, 30, 10]);
  assert.deepEqual(found.map(step => step.share), [0.2, 0.6, 0.2]);
  assert.deepEqual(found.map(step => step.isOpen), [false, false, true]);
});

test('a job that has ended takes no more time', () => {
  const found = steps([state('RUNNING', 0), state('FINISHED', 5)], now(5000));
  assert.deepEqual(found.map(step => [step.seconds, step.isOpen]), [[5, false], [null, false]]);
});

test('events that are no state stand between them without a duration', () => {
  const told = { event: 'JOB_USER_EVENT', eventDetail: 'MARK', created: at(3), description: 'half done' };
  const found = steps([state('RUNNING', 0), told, state('FINISHED', 5)], now(9));
  assert.deepEqual(found.map(step => step.seconds), [5, null, null]);
  assert.equal(found[1].words, 'told by the job: half done');
});

test('what a function has made of the outputs is told as such', () => {
  const told = { event: 'JOB_USER_EVENT', eventDetail: 'PROCESSING', created: at(7), description: 'peaks FINISHED: its result is kept with the job.' };
  const found = steps([state('FINISHED', 5), told], now(9));
  assert.equal(found[1].words, 'processed: peaks FINISHED: its result is kept with the job.');
});

test('a clock behind the server and a history that is none do no harm', () => {
  assert.deepEqual(steps([state('RUNNING', 10)], now(0)).map(step => step.seconds), [0]);
  assert.deepEqual(steps([{ event: 'JOB_NEW_STATUS', eventDetail: 'RUNNING', created: 'soon' }], now(0)), []);
});

test('a timeline shows glyph and word, the duration, and the UTC time on hover; its words are text', () => {
  const view = new TimelineView();
  view.update([state('RUNNING', 0, '<b>hot</b>'), state('FAILED', 65)], now(100));
  const [running, failed] = view.node.querySelectorAll('li');
  assert.equal(running.querySelector('.tj-Status').textContent, '▶ RUNNING');
  assert.equal(running.querySelector('.tj-Took').textContent, '1 min 05 s');
  assert.equal(running.querySelector('time').title, '2026-01-01T00:00:00.000Z (UTC)');
  assert.match(running.textContent, /<b>hot<\/b>/);
  assert.equal(failed.querySelector('.tj-Took').textContent, '');
  view.update([], now(0));
  assert.equal(view.node.textContent, 'No history yet.');
});
