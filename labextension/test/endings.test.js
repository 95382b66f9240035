import assert from 'node:assert/strict';
import test from 'node:test';

import { Endings } from '../lib/core/endings.js';
import { clock, settled } from './site.js';

const NOW = Date.parse('2026-11-21T12:00:30Z');

function desk({ studies = [], wishes = {}, owner = 'me' } = {}) {
  const time = clock();
  const told = [];
  const live = { watch: (_, watcher) => ((desk.watcher = watcher), () => undefined) };
  const made = new Endings(
    live, async () => studies, async () => owner, () => ({ shortest: 10, failuresOnly: false, ...wishes }),
    ending => told.push(ending), time.later, () => NOW
  );
  const end = (uuid, status, more = {}) =>
    desk.watcher.news(
      { uuid, name: uuid, status, owner: 'me', created: '2026-11-21T12:00:00Z', ended: '2026-11-21T12:00:20Z', ...more },
      { event: 'JOB_NEW_STATUS', jobUuid: uuid }
    );
  const calm = async () => {
    time.next();
    await settled();
    return told;
  };
  return { made, end, calm, told, time };
}

test('one job is told by its name, what became of it and after which time', async () => {
  const { end, calm } = desk();
  end('wave', 'FINISHED');
  assert.deepEqual(await calm(), [{ words: '✓ wave is done after 20 s.', isBad: false, uuid: 'wave' }]);
});

test('a failure says why, and what a job prints cannot turn or colour the words', async () => {
  const { end, calm } = desk();
  end('mesh', 'FAILED', { lastMessage: 'exit code 3\u202e\x1b[31m' });
  assert.deepEqual(await calm(), [{ words: '✗ mesh failed after 20 s: exit code 3', isBad: true, uuid: 'mesh' }]);
});

test('many that end together are told once', async () => {
  const { end, calm, time } = desk();
  ['a', 'b', 'c'].forEach(name => end(name, 'FINISHED'));
  end('d', 'FAILED');
  assert.equal(time.waiting.length, 1);
  assert.deepEqual(await calm(), [{ words: '4 jobs have ended: ✓ 3 done, ✗ 1 failed', isBad: true }]);
});

test('a study is told when no case is on its way any more, and its cases are never told alone', async () => {
  const study = { name: 'frames', cohortId: 'study-1', cases: 3, counts: { FINISHED: 1, RUNNING: 2 } };
  const { end, calm, told } = desk({ studies: [study] });
  end('case-1', 'FINISHED', { cohortId: 'study-1' });
  assert.deepEqual(await calm(), []);
  study.counts = { FINISHED: 2, FAILED: 1 };
  end('case-2', 'FINISHED', { cohortId: 'study-1' });
  end('case-3', 'FAILED', { cohortId: 'study-1' });
  await calm();
  assert.deepEqual(told, [{ words: 'Study frames has ended: ✓ 2 done, ✗ 1 failed', isBad: true, study: 'frames' }]);
});

test('short jobs, one\'s own cancelling and jobs of others are not told; a failure always is', async () => {
  const { end, calm } = desk();
  end('quick', 'FINISHED', { ended: '2026-11-21T12:00:03Z' });
  end('stopped', 'CANCELLED', { condition: 'CANCELLED_BY_USER' });
  end('theirs', 'FINISHED', { owner: 'you' });
  end('broken', 'FAILED', { ended: '2026-11-21T12:00:01Z', condition: 'SCHEDULER_TIMEOUT' });
  assert.deepEqual((await calm()).map(({ words }) => words), ['✗ broken failed after 1 s: SCHEDULER_TIMEOUT']);
});

test('who wants failures only hears of nothing else', async () => {
  const { end, calm } = desk({ wishes: { failuresOnly: true } });
  end('fine', 'FINISHED');
  assert.deepEqual(await calm(), []);
});

test('news that come twice are told once', async () => {
  const { end, calm, told, time } = desk();
  end('wave', 'FINISHED');
  await calm();
  end('wave', 'FINISHED');
  assert.equal(time.waiting.length, 0);
  assert.equal(told.length, 1);
});
