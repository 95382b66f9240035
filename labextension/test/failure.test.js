import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { failureOf } from '../lib/views/failure.js';

// The kernel's client reads the same file: tests/unit/client/test_failures.py.
const samples = JSON.parse(readFileSync(new URL('../../tests/unit/client/failures.json', import.meta.url)));

test('a failure is told as the client in the kernel tells it', () => {
  assert.ok(samples.length > 20);
  for (const { job, tail, ...told } of samples) {
    const { changes: _, ...found } = failureOf({ status: 'FAILED', ...job }, tail);
    assert.deepEqual(found, told);
  }
});

test('a job that did not fail has no failure', () => {
  assert.equal(failureOf({ status: 'FINISHED', exitCode: 0 }), null);
});

test('what may mend a failure is also given as changes of the request', () => {
  const changes = job => failureOf({ status: 'FAILED', ...job }).changes;
  assert.deepEqual(changes({ condition: 'SCHEDULER_TIMEOUT', maxMinutes: 10 }), { maxMinutes: 20 });
  assert.deepEqual(changes({ condition: 'SCHEDULER_CANCELLED' }), {});
  assert.equal(changes({ condition: 'SCHEDULER_TIMEOUT' }), null);
  assert.equal(changes({ exitCode: 1 }), null);
});
