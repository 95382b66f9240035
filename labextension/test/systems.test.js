import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

page();
const { systemOf } = await import('../lib/core/catalog.js');
const { SystemsView } = await import('../lib/views/systems.js');

const FRONTERA = {
  id: 'frontera', host: 'login.example.org', canExec: true, enabled: true, canRunBatch: true, batchScheduler: 'SLURM',
  jobWorkingDir: 'HOST_EVAL($SCRATCH)', jobRuntimes: [{ runtimeType: 'SINGULARITY', version: '1.3' }, { runtimeType: 'ZIP' }],
  batchDefaultLogicalQueue: 'normal',
  batchLogicalQueues: [
    { name: 'normal', hpcQueueName: 'normal', maxNodeCount: 512, maxCoresPerNode: 56, maxMemoryMB: 192000, maxMinutes: 2880, maxJobsPerUser: -1 },
    { name: 'small', hpcQueueName: 'sm', maxNodeCount: 2147483647, maxMinutes: null }
  ]
};
const LOCAL = { id: 'local', host: 'localhost', canExec: true, enabled: true, jobRuntimes: [{ runtimeType: 'ZIP' }] };
const state = (word, more = {}) => ({ id: 'frontera', state: word, message: 'Connected.', nextTry: null, user: 'train301', ...more });
const HOSTS = '/v3/tapisjobs/hosts';
const REPORT = { lines: ['Slurm 24.05 · queues normal'], warnings: ['There is no accounting.'], queues: [], runtimes: [], workDir: '/w', arrays: { max: 0 } };

async function view(answers = {}) {
  const at = site({ 'GET /v3/systems': [FRONTERA, LOCAL], [`GET ${HOSTS}`]: [state('connected')], 'POST /v3/jobs/search': JOBS, ...answers });
  const time = clock();
  const shown = new SystemsView(at.client, time.later);
  document.body.replaceChildren(shown.node);
  await settled();
  const card = shown.node.querySelector('article');
  const turn = async () => {
    time.next();
    await settled();
  };
  return { ...at, shown, time, turn, node: shown.node, card, code: card?.querySelector('form') };
}

const job = (execSystemId, execSystemLogicalQueue, status) => ({ execSystemId, execSystemLogicalQueue, status });
const JOBS = [job('frontera', 'normal', 'RUNNING'), job('frontera', 'normal', 'QUEUED'), job('frontera', 'normal', 'QUEUED'), job('local', null, 'RUNNING')];

/** Type the answer to what is asked, and agree. */
async function answered(node, told) {
  const [entry] = node.querySelectorAll('dialog input');
  if (entry) {
    entry.value = told;
  }
  node.querySelector('dialog form').dispatchEvent(new Event('submit', { cancelable: true }));
  await settled();
}

const badges = node => [...node.querySelectorAll('.tj-State')].map(each => `${each.textContent} ${each.dataset.tone}`);

test('limits that are none are told as none, whatever Tapis writes for it', () => {
  const [normal, small] = systemOf(FRONTERA).queues;
  assert.deepEqual([normal.jobs, small.nodes, small.minutes, small.memoryMB], [null, null, null, null]);
  assert.deepEqual([normal.isDefault, small.isDefault], [true, false]);
});

test('each system tells its connection in glyph, word and colour, and its runtimes', async () => {
  const { node, card } = await view();
  assert.deepEqual(badges(node), ['● connected finished', '● here finished']);
  assert.match(card.textContent, /Connected\. User train301\./);
  assert.match(card.textContent, /SLURM · SINGULARITY 1\.3, ZIP · works in HOST_EVAL/);
});

test('queues are a table of limits with units, and of the jobs that one has there', async () => {
  const { card } = await view();
  const rows = [...card.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent));
  assert.deepEqual(rows, [
    ['normal · default', '512', '56', '192 GB', '2 d 00 h', 'no limit', '◷ 2 queued   ▶ 1 running'],
    ['small (sm)', 'no limit', 'no limit', 'no limit', 'no limit', 'no limit', 'none']
  ]);
});

test('a host is looked at now, what was found is told, and the list is read again', async () => {
  const { card, asked } = await view({ [`POST ${HOSTS}/frontera/check`]: REPORT });
  asked.length = 0;
  press(card, 'Check now');
  await settled();
  assert.equal(card.querySelector('.tj-Note').textContent, 'Slurm 24.05 · queues normal\n⚠ There is no accounting.');
  assert.deepEqual(asked.map(each => each.split('?')[0]), [`POST ${HOSTS}/frontera/check`, 'GET /v3/systems', `GET ${HOSTS}`, 'POST /v3/jobs/search', `GET ${HOSTS}/frontera/load`]);
});

test('a host that asks for a one-time code gets it once, from a dialogue', async () => {
  const given = [];
  const { node, card } = await view({
    [`GET ${HOSTS}`]: [state('code needed', { message: 'TACC Token:' })],
    [`POST ${HOSTS}/frontera/check`]: body => {
      given.push(body);
      return given.length < 3 ? refusal(409, `JOBS_HOST_CODE frontera asks for a code (${given.length}).`, { prompts: ['TACC Token:'] }) : REPORT;
    }
  });
  press(card, 'Give the code');
  await settled();
  assert.match(node.querySelector('dialog').textContent, /One-time code for frontera.*TACC Token:/);
  await answered(node, '123456');
  assert.match(node.querySelector('dialog').textContent, /asks for a code \(2\)/);
  await answered(node, '654321');
  assert.deepEqual(given, [undefined, { code: '123456' }, { code: '654321' }]);
  assert.match(card.querySelector('.tj-Note').textContent, /Slurm 24\.05/);
  assert.equal(node.querySelector('dialog').childElementCount, 0);
});

test('why a look failed is told once, and not any more when the host is connected', async () => {
  const hosts = [state('idle')];
  const fault = 'nothing listens there.';
  const { card, turn } = await view({ [`GET ${HOSTS}`]: () => hosts, [`POST ${HOSTS}/frontera/check`]: () => refusal(503, `JOBS_HOST ${fault}`) });
  const note = card.querySelector('.tj-Note');
  press(card, 'Check now');
  await settled();
  const complaint = note.textContent;
  assert.match(complaint, /⚠ .*nothing listens there\./);
  hosts[0] = state('trouble', { message: complaint.slice(2) });
  await turn();
  assert.equal(note.hidden, true);
  assert.equal(card.textContent.split(fault).length, 2);
  press(card, 'Check now');
  await settled();
  assert.equal(note.hidden, true);
  hosts[0] = state('connected');
  await turn();
  assert.doesNotMatch(card.textContent, /nothing listens/);
});

test('a disabled system and one of someone else are told as such', async () => {
  const { node } = await view({ 'GET /v3/systems': [{ ...FRONTERA, enabled: false }, { ...LOCAL, id: 'theirs' }], [`GET ${HOSTS}`]: [] });
  assert.deepEqual(badges(node), ['⊘ disabled cancelled', '○ shared waiting']);
});

test('what a host is called is text', async () => {
  const name = '<img src=x onerror=alert(1)>';
  const { node } = await view({ 'GET /v3/systems': [{ ...FRONTERA, description: name, batchLogicalQueues: [{ name }] }] });
  assert.equal(node.querySelector('img'), null);
  assert.equal(node.textContent.split(name).length, 3);
});

test('connections are looked at again while the view is seen, and a card stays the same node', async () => {
  const hosts = [state('connected')];
  const { node, turn, card, time, shown } = await view({ [`GET ${HOSTS}`]: () => hosts });
  hosts[0] = state('trouble', { message: 'No route to host.', nextTry: '2126-11-21T20:00:00.000000Z' });
  await turn();
  assert.equal(node.querySelector('article'), card);
  assert.match(card.textContent, /⚠ trouble.*No route to host\. The next try is at/);
  hosts[0] = { ...hosts[0], nextTry: '2026-01-01T20:00:00.000000Z' };
  await turn();
  assert.match(card.textContent, /No route to host\. It is tried again when a job or a person needs it\./);
  shown.show(false);
  assert.equal(time.waiting.length, 0);
});

test('a server that is gone is told, and it is tried again', async () => {
  const answers = { 'GET /v3/systems': () => new TypeError('network') };
  const { node, time } = await view(answers);
  assert.match(node.querySelector('.tj-Trouble').textContent, /does not answer/);
  assert.equal(time.waiting[0].ms, 5000);
});

const FULL = {
  asked: '2026-11-22T01:00:00.000000Z', message: '',
  queues: [{ name: 'normal', state: 'up', idleNodes: 12, nodes: 512, idleCores: 672, cores: 28672, running: 180, pending: 1034 }, { name: 'sm', state: 'drain', idleNodes: 0, nodes: 4, idleCores: 0, cores: 32, running: 0, pending: 0 }]
};
const LOAD = `GET ${HOSTS}/frontera/load`;
const cells = card => [...card.querySelectorAll('tbody tr')].map(row => [...row.children].slice(-3).map(cell => cell.textContent));

test('how full a queue is stands beside its limits, whoever the jobs are of, and a closed one says so', async () => {
  const { card } = await view({ [LOAD]: FULL });
  assert.deepEqual(cells(card), [
    ['12 of 512 nodes\n672 of 28,672 cores', '▶ 180 running\n◷ 1,034 waiting', '◷ 2 queued   ▶ 1 running'],
    ['⚠ queue is drain\n0 of 4 nodes\n0 of 32 cores', '▶ 0 running\n◷ 0 waiting', 'none']
  ]);
  assert.match(card.querySelector('caption').textContent, /how full they were at/);
});

test('a host without connection tells no load, and says why once it tells something', async () => {
  const { card, turn } = await view({ [LOAD]: { asked: null, message: 'Slurm does not tell it: <b>', queues: [] } });
  assert.match(card.querySelector('caption').textContent, /is not known: Slurm does not tell it: <b>/);
  assert.equal(card.querySelectorAll('thead th').length, 7);
  assert.equal(card.querySelector('b'), null);
  await turn();
  assert.equal(card.querySelectorAll('thead th').length, 7);
});

test('a host that is slow to tell its load is asked for it once, and nothing waits for it', async () => {
  let tell;
  const { card, asked, turn } = await view({ [LOAD]: () => new Promise(resolve => (tell = resolve)) });
  assert.match(card.textContent, /Your jobs now/);
  await turn();
  assert.equal(asked.filter(line => line === LOAD).length, 1);
  tell(FULL);
  await new Promise(resolve => setImmediate(resolve));
  await settled();
  assert.match(card.textContent, /12 of 512 nodes/);
});
