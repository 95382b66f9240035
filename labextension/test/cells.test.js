import assert from 'node:assert/strict';
import test from 'node:test';

import { cellsFor, FIRST, isJob } from '../lib/core/cells.js';

test('a magic of ours is loaded in a cell above where the notebook does not do it yet', () => {
  assert.deepEqual(cellsFor(FIRST, ['import os']), ['%load_ext jupyter_tapis_jobs', FIRST]);
  assert.deepEqual(cellsFor('%tapisjobs FAILED', []), ['%load_ext jupyter_tapis_jobs', '%tapisjobs FAILED']);
});

test('a notebook that loads it needs no second cell, and other code never does', () => {
  assert.deepEqual(cellsFor(FIRST, ['import os\n%load_ext jupyter_tapis_jobs  # magics']), [FIRST]);
  assert.deepEqual(cellsFor(FIRST, ['%reload_ext jupyter_tapis_jobs']), [FIRST]);
  assert.deepEqual(cellsFor('import jupyter_tapis_jobs as tj', []), ['import jupyter_tapis_jobs as tj']);
});

test('a line that only tells of loading is no loading', () => {
  assert.equal(cellsFor(FIRST, ['print("%load_ext jupyter_tapis_jobs")']).length, 2);
});

test('a cell of one job is known by its magic', () => {
  assert.ok(isJob('%%tapisjob bash\necho'));
  assert.ok(isJob('\n %tapisjob solver --name x'));
  assert.ok(!isJob('%%tapisjobs FAILED'));
  assert.ok(!isJob('# %%tapisjob bash'));
});
