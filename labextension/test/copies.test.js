import assert from 'node:assert/strict';
import test from 'node:test';

import { copyInto } from '../lib/core/copies.js';

/** Jupyter's contents in memory. */
function contents(files = {}) {
  const gone = Object.assign(new Error('no'), { response: { status: 404 } });
  return {
    files,
    async get(path) {
      if (!(path in files)) {
        throw gone;
      }
      return { size: Buffer.from(files[path], 'base64').length };
    },
    async save(path, { type, content }) {
      files[path] = type === 'directory' ? '' : content;
    }
  };
}

const file = told => new Blob([told]);

test('a copy holds each byte of the file, in a folder of its own', async () => {
  const kept = contents();
  const bytes = Uint8Array.from({ length: 100_000 }, (_, place) => place % 256);
  assert.equal(await copyInto(kept, 'work/jobs-u', 'data.bin', file(bytes)), 'work/jobs-u/data.bin');
  assert.deepEqual(Uint8Array.from(Buffer.from(kept.files['work/jobs-u/data.bin'], 'base64')), bytes);
});

test('the copy of before is opened again, and one that has grown takes nothing’s place', async () => {
  const kept = contents();
  await copyInto(kept, 'jobs-u', 'a.csv', file('1,2'));
  assert.equal(await copyInto(kept, 'jobs-u', 'a.csv', file('1,2')), 'jobs-u/a.csv');
  assert.equal(await copyInto(kept, 'jobs-u', 'a.csv', file('1,2,3')), 'jobs-u/a-2.csv');
  assert.equal(Buffer.from(kept.files['jobs-u/a.csv'], 'base64').toString(), '1,2');
  await copyInto(kept, 'jobs-u', 'Makefile', file('1'));
  assert.equal(await copyInto(kept, 'jobs-u', 'Makefile', file('22')), 'jobs-u/Makefile-2');
});

test('what Jupyter refuses is told', async () => {
  const kept = contents();
  kept.get = async () => {
    throw Object.assign(new Error('hidden'), { response: { status: 403 } });
  };
  await assert.rejects(copyInto(kept, 'jobs-u', '.hidden', file('')), /hidden/);
});
