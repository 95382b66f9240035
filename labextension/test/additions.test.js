import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, settled } from './site.js';

page();
const { Additions } = await import('../lib/views/additions.js');
const { RefusedError } = await import('../lib/core/client.js');

const LOST = new TypeError('Failed to fetch');
const column = name => ({ columns: [{ name, title: name }], actions: [{ name: `do ${name}`, title: name, confirm: '', statuses: [] }], faults: [] });

/** What a grid is told; each of `answers` has what a source answers now. */
async function additions(...answers) {
  const time = clock();
  const seen = { columns: [], deeds: [], loads: 0 };
  const sources = answers.map(answer => ({
    load: async () => {
      seen.loads += 1;
      if (answer.now instanceof Error) {
        throw answer.now;
      }
      return answer.now;
    },
    values: async () => ({}),
    run: async () => []
  }));
  const host = {
    columns: columns => (seen.columns = columns.map(({ name }) => name)),
    values: () => undefined,
    deed: deed => seen.deeds.push(deed),
    say: () => undefined,
    loaded: () => []
  };
  const made = new Additions(sources, host, time.later);
  await made.learn();
  return { made, seen, time };
}

test('columns and actions that did not come at first come as soon as the server answers', async () => {
  const [server, kernel] = [{ now: LOST }, { now: column('mine') }];
  const { seen, time } = await additions(server, kernel);
  assert.deepEqual(seen.columns, ['mine']);
  time.next();
  await settled();
  server.now = column('theirs');
  kernel.now = LOST;
  time.next();
  await settled();
  assert.deepEqual(seen.columns, ['theirs', 'mine']);
  assert.equal(seen.deeds.length, 2);
  kernel.now = column('mine');
  time.next();
  await settled();
  assert.equal(time.waiting.length, 0);
  assert.equal(seen.deeds.length, 2);
});

test('a server that has no columns and actions of others is not asked again', async () => {
  const { made, seen, time } = await additions({ now: new RefusedError(404, 'There is no such route.') });
  made.renew();
  assert.deepEqual([seen.loads, time.waiting.length], [1, 0]);
});

test('a hidden view asks for nothing, and learns what is missing when it is seen again', async () => {
  const server = { now: LOST };
  const { made, seen, time } = await additions(server);
  made.stop();
  assert.equal(time.waiting.length, 0);
  server.now = column('theirs');
  made.renew();
  await settled();
  assert.deepEqual(seen.columns, ['theirs']);
});
