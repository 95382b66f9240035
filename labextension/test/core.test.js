import assert from 'node:assert/strict';
import test from 'node:test';

import { address, Client, RefusedError, told } from '../lib/core/client.js';
import { Jobs } from '../lib/core/jobs.js';
import { baseUrl, xsrf } from '../lib/core/page_wire.js';
import { Painter } from '../lib/core/painter.js';
import { clause, EVERYTHING, grouped, GROUPS, orderBy } from '../lib/core/search.js';
import { Selection } from '../lib/core/selection.js';
import { stateWords } from '../lib/words.js';

/** A server that answers each call with the next answer. */
function wire(...answers) {
  const asked = [];
  const request = async (method, path, body) => {
    asked.push([method, path, body && JSON.parse(body)]);
    const { status = 200, ...answer } = answers.shift();
    return { ok: status < 400, status, json: async () => answer };
  };
  return { asked, request };
}

test('what is put into a path stays one part of it, but a file may lie in folders', () => {
  const [method, path] = address('GET /v3/jobs/{jobUuid}/output/list/{path}', {
    path: { jobUuid: 'a/../b?c', path: 'x y/z#1' },
    query: { limit: 5, skip: null }
  });
  assert.equal(method, 'GET');
  assert.equal(path, '/v3/jobs/a/../b%3Fc/output/list/x%20y/z%231?limit=5');
});

test('a refusal is told in the words of the server, silence as silence', async () => {
  const client = new Client(wire({ status: 404, message: 'There is no job x.' }, { status: 502 }));
  const call = () => client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: 'x' } });
  await assert.rejects(call, new RefusedError(404, 'There is no job x.'));
  await assert.rejects(call, new RefusedError(502, 'The server answered 502.'));
  assert.equal(told(new TypeError('fetch failed')), 'The server does not answer.');
});

test('a page is asked for by words, states and order, and tells how many there are in all', async () => {
  const server = wire({ result: [{ uuid: 'a' }], metadata: { totalCount: 10000 } });
  const jobs = new Jobs(new Client(server));
  const columns = { name: { op: 'starts', values: ['50*'] }, exitCode: { op: 'between', values: ['1', '9'] } };
  const filter = { ...EVERYTHING, text: "o'neil 5%", groups: new Set(['queued']), study: 'study:7', columns };
  assert.deepEqual(await jobs.page(filter, [{ column: 'name', isDown: false }], 200, 100), { rows: [{ uuid: 'a' }], total: 10000 });
  const [method, path, body] = server.asked[0];
  const query = new URLSearchParams(path.split('?')[1]);
  assert.equal(method, 'POST');
  assert.deepEqual(['skip', 'limit', 'orderBy', 'text'].map(name => query.get(name)), ['200', '100', 'name(asc)', "o'neil 5%"]);
  assert.deepEqual(['name.like', 'exitCode.gte', 'exitCode.lte', 'cohortId.eq', 'listType'].map(name => query.get(name)), ['50\\**', '1', '9', 'study:7', null]);
  assert.deepEqual(body, { search: ["status IN ('SUBMITTING_JOB', 'QUEUED')"] });
});

test('without a filter all jobs are asked for, the newest first', () => {
  assert.equal(clause(EVERYTHING), '');
  assert.equal(orderBy([]), 'created(desc)');
});

test('each status belongs to one group, which looks like all of its statuses', () => {
  const all = GROUPS.flatMap(({ statuses }) => statuses);
  assert.equal(new Set(all).size, 13);
  assert.equal(all.length, 13);
  for (const { status, statuses } of GROUPS) {
    assert.deepEqual(new Set(statuses.map(one => stateWords(one).glyph)), new Set([stateWords(status).glyph]));
  }
});

test('counts of statuses become counts of groups', () => {
  const counts = grouped({ QUEUED: 3, SUBMITTING_JOB: 2, FAILED: 1 });
  assert.deepEqual([counts.get('queued'), counts.get('failed'), counts.get('running')], [5, 1, 0]);
});

test('chosen jobs stay chosen when a filter hides them, and are told as not in view', () => {
  let changes = 0;
  const selection = new Selection(() => (changes += 1));
  selection.add(['a', 'b', 'c']);
  selection.toggle('b');
  assert.deepEqual(selection.uuids, ['a', 'c']);
  assert.equal(selection.hidden(['c', 'd']), 1);
  assert.equal(changes, 2);
});

test('a thousand changes a second are at most ten paints, each with the last of every job', () => {
  const paints = [];
  let now = 0;
  let waiting = null;
  const wait = (work, ms) => {
    waiting = { work, at: now + ms };
    return () => (waiting = null);
  };
  const painter = new Painter(changed => paints.push(changed), wait, () => now);
  for (; now < 1000; now += 1) {
    painter.put(`job ${now % 3}`, now);
    if (waiting && waiting.at <= now) {
      const { work } = waiting;
      waiting = null;
      work();
    }
  }
  assert.ok(paints.length <= 11 && paints.length >= 9, `${paints.length} paints`);
  assert.deepEqual([...paints[0]], [['job 0', 0]]);
  assert.equal(paints[1].size, 3);
});

test('the panel finds its server and the value against forged requests in its page', () => {
  const page = { config: '{"baseUrl": "/user/ann/"}', cookie: '', origin: 'https://hub.example' };
  assert.equal(baseUrl(page), 'https://hub.example/user/ann/');
  assert.equal(baseUrl({ ...page, config: null }), null);
  assert.equal(xsrf('a=1; _xsrf=2%7Cab|c; b=2'), '2|ab|c');
  assert.equal(xsrf('a=1'), '');
});
