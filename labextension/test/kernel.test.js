import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, settled } from './site.js';

const window = page();
const { Client, RefusedError } = await import('../lib/core/client.js');
const { minded, versionWords } = await import('../lib/core/condition.js');
const { KernelExtras } = await import('../lib/core/kernel_extras.js');
const { KernelLine } = await import('../lib/core/kernel_line.js');
const { kernelWire, linkOf } = await import('../lib/core/kernel_wire.js');
const { Live } = await import('../lib/live.js');
const { ConditionBar } = await import('../lib/views/condition.js');
const { followLinks, nameOf } = await import('../lib/views/kernel_downloads.js');

/** A widget's model, what was said to its kernel, and a kernel that answers when told. */
function kernel(state = {}) {
  const hears = new Map();
  const said = [];
  const model = {
    get: name => state[name],
    on: (name, hear) => hears.set(name, [...(hears.get(name) ?? []), hear]),
    off: (name, hear) => hears.set(name, (hears.get(name) ?? []).filter(each => each !== hear)),
    send: message => said.push(message)
  };
  const bytes = text => {
    const encoded = new TextEncoder().encode(text);
    return new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  };
  const fire = (name, ...told) => (hears.get(name) ?? []).forEach(hear => hear(...told));
  const tells = (id, message, ...texts) => fire('msg:custom', { id, ...message }, texts.map(bytes));
  const time = clock();
  const line = new KernelLine(model, time.later);
  return { model, line, said, tells, fire, time, last: type => said.findLast(message => message.type === type) };
}

const JSON_ANSWER = { type: 'answer', status: 200, media: 'application/json', isWhole: true };

test('a call is one message to the kernel, and its answer is a response', async () => {
  const { line, last, tells } = kernel();
  const call = new Client(kernelWire(line)).call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: 'u' } });
  const { id, ...message } = last('call');
  assert.deepEqual(message, { type: 'call', method: 'GET', path: '/v3/jobs/u', body: null });
  tells('another page', JSON_ANSWER, '{"result": {"name": "wrong"}}');
  tells(id, JSON_ANSWER, '{"result": {"name": "mine"}}');
  assert.equal((await call).result.name, 'mine');
});

test('a refusal keeps its words, and a server that is gone is one that does not answer', async () => {
  const { line, last, tells } = kernel();
  const client = new Client(kernelWire(line));
  const refused = client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: 'u' } });
  tells(last('call').id, { ...JSON_ANSWER, status: 401 }, '{"message": "The token has expired."}');
  await assert.rejects(refused, new RefusedError(401, 'The token has expired.'));
  const lost = kernelWire(line).request('GET', '/v3/apps');
  tells(last('call').id, { type: 'lost' });
  await assert.rejects(lost, TypeError);
});

test('a long answer comes in parts, and the kernel is told when there is room for more', async () => {
  const { line, last, tells } = kernel();
  const asked = kernelWire(line).request('GET', '/v3/x');
  const { id } = last('call');
  tells(id, { type: 'answer', status: 200, media: 'text/plain', isWhole: false });
  const response = await asked;
  ['one ', 'two '].forEach(part => tells(id, { type: 'part' }, part));
  assert.equal(last('more'), undefined);
  const reader = response.body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'one ');
  await reader.read();
  await settled();
  assert.deepEqual(last('more'), { type: 'more', parts: 2, id });
  tells(id, { type: 'end' });
  assert.equal((await reader.read()).done, true);
});

test('an answer that nobody reads to its end is stopped', async () => {
  const { line, last, tells } = kernel();
  const asked = kernelWire(line).request('GET', '/v3/x');
  const { id } = last('call');
  tells(id, { type: 'answer', status: 200, media: 'text/plain', isWhole: false });
  await (await asked).body.cancel();
  assert.deepEqual(last('stop'), { type: 'stop', id });
  tells(id, { type: 'part' }, 'late');
});

test('live news come through the kernel, and come back after they were cut', async () => {
  const { line, last, said, tells } = kernel();
  const time = clock();
  const live = new Live(kernelWire(line).socket, time.later);
  const heard = [];
  live.watch('u', { news: job => heard.push(job.status), ask: () => heard.push('ask') });
  live.tail('u', 'out', 5, text => heard.push(text));
  const { id } = last('open');
  tells(id, { type: 'opened' });
  assert.deepEqual(JSON.parse(last('say').data), { type: 'tail', uuid: 'u', path: 'out', offset: 5 });
  const event = { type: 'event', id: 7, job: { uuid: 'u', status: 'RUNNING' }, event: { jobUuid: 'u' } };
  const grown = { type: 'tail', uuid: 'u', path: 'out', offset: 5, text: 'step 1' };
  tells(id, { type: 'told', data: [{ type: 'idle' }, event, grown].map(JSON.stringify) });
  assert.deepEqual(heard, ['ask', 'RUNNING', 'step 1']);
  tells(id, { type: 'closed' });
  time.next();
  assert.equal(last('open').after, 7);
  assert.equal(said.filter(({ type }) => type === 'open').length, 2);
});

test('what waits for the kernel is known after a moment, and is over with the answer', async () => {
  const { line, last, tells, time } = kernel();
  const told = [];
  line.watch(isWaiting => told.push(isWaiting));
  const first = kernelWire(line).request('GET', '/v3/apps');
  tells(last('call').id, JSON_ANSWER, '{}');
  await first;
  assert.equal(time.waiting.length, 0);
  const second = kernelWire(line).request('GET', '/v3/apps');
  time.next();
  assert.deepEqual(told, [false, true]);
  tells(last('call').id, JSON_ANSWER, '{}');
  await second;
  assert.deepEqual(told, [false, true, false]);
});

test('columns of the notebook are known at once; what they tell and do comes from the kernel', async () => {
  const column = { name: 'kernel:drift', title: 'Drift', kind: 'number' };
  const state = { extras: { columns: [column], actions: [] } };
  const { model, line, last, tells, fire } = kernel(state);
  const extras = new KernelExtras(model, line);
  assert.deepEqual(await extras.load(), { columns: [column], actions: [], faults: [] });
  const values = extras.values(['a']);
  await settled();
  assert.deepEqual(last('values').uuids, ['a']);
  tells(last('values').id, { type: 'own', result: { a: { 'kernel:drift': 3 } } });
  assert.deepEqual(await values, { a: { 'kernel:drift': 3 } });
  const run = extras.run('kernel:plot', ['a']);
  tells(last('run').id, { type: 'own', trouble: 'The server does not answer.' });
  await assert.rejects(run, new RefusedError(503, 'The server does not answer.'));
  let changes = 0;
  const end = extras.changed(() => (changes += 1));
  fire('change:extras');
  end();
  fire('change:extras');
  assert.equal(changes, 1);
});

test('without a column of the notebook the kernel is not asked', async () => {
  const { model, line, said } = kernel({ extras: { columns: [], actions: [] } });
  assert.deepEqual(await new KernelExtras(model, line).values(['a']), {});
  assert.deepEqual(said, []);
});

test('an answer that nobody is signed in is told, until one is good again', async () => {
  const answers = [200, 401, 403, 401, 200];
  const told = [];
  const wire = minded({ request: async () => new Response(null, { status: answers.shift() }) }, isOut => told.push(isOut));
  while (answers.length) {
    await wire.request('GET', '/v3/apps');
  }
  assert.deepEqual(told, [false, true, false, true, false]);
});

test('two versions are told, each with what to do; a third number or an odd one is not', () => {
  assert.match(versionWords('0.1.0', '0.2.0'), /^The server has Tapis Jobs 0\.2\.0, this panel is of 0\.1\.0: .*pip install -U/);
  assert.match(versionWords('1.2.0', '1.1.9'), /Start the Jupyter server again with 1\.2\.0\.$/);
  assert.deepEqual(['0.1.0', '0.1.7', '', 'dev'].map(theirs => versionWords('0.1.3', theirs)), ['', '', '', '']);
});

test('a sentence stands while it is true, and is text', () => {
  const bar = new ConditionBar();
  bar.state('waiting', '<b>waits</b>');
  bar.state('signedOut', 'signed out');
  bar.state('waiting', '');
  const shown = [...bar.node.children].filter(line => !line.hidden).map(line => line.textContent);
  assert.deepEqual(shown, ['signed out']);
  assert.equal(bar.node.querySelector('b'), null);
});

test('a link that leads through the kernel is followed there, one of another panel is not', async t => {
  const { line, said, last, tells } = kernel();
  const words = [];
  const wire = kernelWire(line);
  t.after(followLinks(linkOf(line), wire, told => words.push(told)));
  const press = href => {
    const link = window.document.createElement('a');
    link.setAttribute('href', href);
    window.document.body.append(link);
    link.click();
  };
  press('#tapisjobs-other/v3/x');
  assert.deepEqual(said, []);
  press(wire.url('/v3/jobs/u/output/download/a.txt'));
  tells(last('call').id, { ...JSON_ANSWER, status: 404 }, '{"message": "There is no a.txt."}');
  await settled();
  assert.deepEqual(words, ['There is no a.txt.']);
  assert.equal(nameOf('/v3/jobs/u/output/download/folder/b%20c?compress=true'), 'b c.zip');
  assert.equal(nameOf('/v3/jobs/u/output/download/a.txt?x=1'), 'a.txt');
});
