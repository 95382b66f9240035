import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, refusal, settled, site } from './site.js';

const window = page();
const { SubmitView } = await import('../lib/views/submit.js');
const { Sent } = await import('../lib/views/sent.js');
const { cost } = await import('../lib/views/dry_run.js');

const FORM = '/v3/tapisjobs/apps/solver/1/form';
const limit = (queue, most) => ({
  if: { properties: { execSystemLogicalQueue: { const: queue } }, required: ['execSystemLogicalQueue'] },
  then: { properties: { nodeCount: { minimum: 1, maximum: most } } }
});

/** A form as the server makes them. */
function form(more = {}) {
  return {
    appId: 'solver',
    appVersion: '1',
    jobType: 'BATCH',
    about: { description: 'Solves <b>it</b>.', helpUrl: 'javascript:alert(1)' },
    systems: [],
    execSystemId: 'one',
    queues: [],
    ui: { args: { secret: { 'ui:widget': 'hidden' } } },
    values: { execSystemId: 'one', execSystemLogicalQueue: 'dev', nodeCount: 1, args: { secret: 's', verbose: '-v' } },
    schema: {
      required: ['name', 'inputs'],
      properties: {
        name: { type: 'string', title: 'Name', minLength: 1, maxLength: 64 },
        inputs: { type: 'object', title: 'Inputs', required: ['mesh'], properties: { mesh: { type: 'string', title: 'The mesh', minLength: 1, 'x-picker': 'file' } } },
        args: { type: 'object', title: 'Arguments', properties: { verbose: { type: 'string' }, secret: { type: 'string' }, mail: { type: 'string', pattern: '@', 'x-message': 'At TACC.' } } },
        moreEnv: { type: 'array', title: 'More variables', items: { type: 'object', required: ['key'], properties: { key: { type: 'string', pattern: '^[A-Z]+$' }, value: { type: 'string' } } } },
        execSystemId: { type: 'string', title: 'System', enum: ['one', 'two'] },
        execSystemLogicalQueue: { type: 'string', title: 'Queue', enum: ['dev', 'normal'] },
        nodeCount: { type: 'integer', title: 'Nodes', minimum: 1 }
      },
      allOf: [limit('dev', 2), limit('normal', 512)]
    },
    ...more
  };
}

const JOB = { uuid: 'u-007', name: '<img src=x>', status: 'PENDING', created: '2026-01-01T00:00:00Z' };

/** A view with the form of the only app, and what the server was asked. */
async function shown(answers = {}, host = {}) {
  const bodies = {};
  const kept = (name, answer) => body => ((bodies[name] ??= []).push(body), answer);
  const found = site({
    'GET /v3/apps': [{ id: 'solver', version: '1', enabled: true }, { id: 'old', version: '1', enabled: false }],
    [`GET ${FORM}`]: form(),
    [`POST ${FORM}`]: kept('filled', { request: { appId: 'solver' } }),
    'POST /v3/jobs/validate': kept('tried', {
      job: { execSystemId: 'one', nodeCount: 2, coresPerNode: 4, maxMinutes: 30 }, script: '#!/bin/sh\n<script>', environment: '', sources: {}, origins: [], warnings: ['Slow <i>disk</i>.']
    }),
    'POST /v3/jobs/submit': kept('sent', JOB),
    ...answers
  });
  const view = new SubmitView(found, host);
  window.document.body.replaceChildren(view.node);
  await settled();
  const menu = view.node.querySelector('select');
  menu.value = '0';
  menu.dispatchEvent(new window.Event('change'));
  await settled();
  const field = label => window.document.getElementById(labels(view).find(each => each.textContent.replace(' *', '') === label).getAttribute('for'));
  const fill = (label, value) => {
    field(label).value = value;
    field(label).dispatchEvent(new window.Event('input'));
  };
  const beside = label => field(label).closest('.tj-FormField').querySelector('.tj-Fault').textContent;
  return { ...found, view, field, fill, beside, bodies, told: () => view.node.textContent };
}

const labels = view => [...view.node.querySelectorAll('label[for]')];

test('an app is chosen, and its fields come with labels, defaults and what is hidden left out', async () => {
  const { view, field, told } = await shown();
  assert.deepEqual([...view.node.querySelector('select').options].map(each => each.textContent), ['Choose an app…', 'solver 1']);
  assert.deepEqual(labels(view).map(each => each.textContent), ['Name *', 'The mesh *', 'verbose', 'mail', 'System', 'Queue', 'Nodes']);
  assert.deepEqual(['Name', 'verbose', 'Queue', 'Nodes'].map(label => field(label).value), ['solver', '-v', 'dev', '1']);
  assert.match(told(), /Solves <b>it<\/b>\./);
  assert.equal(view.node.querySelector('b, a'), null);
});

test('the head of the form tells what the notes of the app say, and the menu has its label', async () => {
  const about = {
    label: 'Solver <b>two</b>', shortLabel: 'S2', icon: '🌊', category: 'Waves', isInteractive: true, licenseType: 'BYO', description: 'Solves it.', helpUrl: 'https://example.org/help'
  };
  const apps = [{ id: 'solver', version: '1', notes: { label: about.label } }, { id: 'plain', version: '2', notes: { label: 'plain' } }, { id: 'none', version: '3', notes: null }];
  const { view } = await shown({ 'GET /v3/apps': apps, [`GET ${FORM}`]: form({ about }) });
  const offered = [...view.node.querySelector('select').options].slice(1).map(each => each.textContent);
  assert.deepEqual(offered, ['Solver <b>two</b> (solver 1)', 'plain 2', 'none 3']);
  const head = view.node.querySelector('.tj-AboutApp');
  assert.deepEqual([...head.children].map(each => each.textContent), [
    '🌊 Solver <b>two</b> (solver 1)', 'Solves it. Help', 'S2 · Waves · interactive: one works in it while it runs · license: BYO'
  ]);
  assert.equal(head.querySelector('b'), null);
  assert.equal(head.querySelector('a').href, 'https://example.org/help');
});

test('an icon that is a name, and a label that is the id, are no more words in the head', async () => {
  const about = { label: 'solver', shortLabel: 'solver', icon: 'jupyter', isInteractive: false, licenseType: null };
  const { view } = await shown({ [`GET ${FORM}`]: form({ about }) });
  assert.equal(view.node.querySelector('.tj-AboutApp').textContent, 'solver 1');
});

test('a limit is checked while one types, and it is the one of the chosen queue', async () => {
  const { fill, beside, field } = await shown();
  assert.equal(beside('The mesh'), '');
  fill('Nodes', '3');
  assert.equal(beside('Nodes'), 'This must be 1 to 2.');
  assert.equal(field('Nodes').getAttribute('aria-invalid'), 'true');
  fill('Queue', 'normal');
  assert.equal(beside('Nodes'), '');
  assert.equal(field('Nodes').parentElement.querySelector('[type=range]').max, '512');
  fill('mail', 'me');
  assert.equal(beside('mail'), 'At TACC.');
});

test('the slider of the time limit ends where the queue does', async () => {
  const timed = form();
  timed.schema.properties.maxMinutes = { type: 'integer', title: 'Minutes', minimum: 1 };
  timed.schema.allOf.forEach((rule, at) => (rule.then.properties.maxMinutes = { minimum: 1, maximum: [120, 2880][at] }));
  timed.values.maxMinutes = 60;
  const { fill, beside, field } = await shown({ [`GET ${FORM}`]: timed });
  const slider = field('Minutes').parentElement.querySelector('[type=range]');
  assert.deepEqual([slider.hidden, slider.max, slider.value], [false, '120', '60']);
  slider.value = '90';
  slider.dispatchEvent(new window.Event('input'));
  assert.equal(field('Minutes').value, '90');
  fill('Queue', 'normal');
  assert.equal(slider.max, '2880');
  fill('Minutes', '1000');
  fill('Queue', 'dev');
  assert.equal(beside('Minutes'), 'This must be 1 to 120.');
});

test('with faults nothing is sent, and the first one is gone to', async () => {
  const { view, field, beside, asked, told } = await shown();
  press(view.node, 'Submit');
  await settled();
  assert.equal(window.document.activeElement, field('The mesh'));
  assert.equal(beside('The mesh'), 'This is needed.');
  assert.match(told(), /not right yet/);
  assert.deepEqual(asked.filter(each => each.startsWith('POST')), []);
});

test('a dry run tells where it would run, what it costs, and submits nothing', async () => {
  const { view, fill, told, bodies } = await shown();
  fill('The mesh', 'tapis://one/m');
  press(view.node, 'Dry run');
  await settled();
  assert.match(told(), /Nothing has been submitted\.⚠ Slow <i>disk<\/i>\./);
  assert.match(told(), /one · 2 nodes x 4 cores · 30 min.*at most 1\.00 node-hours \(2 nodes for 30 min\), 4\.00 core-hours/);
  assert.equal(view.node.querySelector('script, i'), null);
  assert.equal(bodies.sent, undefined);
  fill('Nodes', '2');
  assert.doesNotMatch(told(), /Nothing has been submitted/);
});

test('submitting sends what is filled in once, and shows the job live', async () => {
  const opened = [];
  const { view, fill, told, bodies, watchers } = await shown({}, { open: uuid => opened.push(uuid) });
  fill('The mesh', 'tapis://one/m');
  fill('verbose', '');
  press(view.node, '+ Add');
  fill('Name', 'mine');
  press(view.node, 'Submit');
  press(view.node, 'Submit');
  await settled();
  assert.deepEqual(bodies.filled, [{
    values: {
      name: 'mine', inputs: { mesh: 'tapis://one/m' }, args: { secret: 's', verbose: '' },
      execSystemId: 'one', execSystemLogicalQueue: 'dev', nodeCount: 1
    },
    rest: {}
  }]);
  assert.deepEqual(bodies.sent, [{ appId: 'solver' }]);
  assert.match(told(), /<img src=x>.*u-007/);
  watchers[0].news({ ...JOB, status: 'RUNNING', remoteStarted: JOB.created });
  assert.match(told(), /▶ running/);
  press(view.node, 'Open the job');
  assert.deepEqual(opened, ['u-007']);
  view.show(false);
  assert.equal(watchers.length, 0);
  view.show(true);
  assert.equal(watchers.length, 1);
  view.dispose();
  assert.equal(watchers.length, 0);
});

test('an answer that is older than the news takes nothing back', async () => {
  let answer = () => undefined;
  const asked = new Promise(resolve => (answer = resolve));
  const found = site({ [`GET /v3/jobs/${JOB.uuid}`]: () => asked });
  const sent = new Sent(found, JOB);
  found.watchers[0].news({ ...JOB, status: 'FINISHED', lastUpdated: '2026-11-21T10:00:09Z', ended: '2026-11-21T10:00:09Z' });
  answer({ ...JOB, status: 'QUEUED', lastUpdated: '2026-11-21T10:00:01Z' });
  await settled();
  assert.doesNotMatch(sent.node.textContent, /queue/);
  sent.dispose();
});

test('a refusal is told in the words of the server, and one may try again', async () => {
  const { view, fill, told } = await shown({ 'POST /v3/jobs/submit': refusal(400, 'maxMinutes is above <b>.') });
  fill('The mesh', 'x');
  press(view.node, 'Submit');
  await settled();
  assert.match(told(), /maxMinutes is above <b>\./);
  assert.equal([...view.node.querySelectorAll('button')].find(each => each.textContent === 'Submit').disabled, false);
});

test('who does not know whether a job was accepted is told to look first', async () => {
  const { view, fill, told } = await shown({ 'POST /v3/jobs/submit': new TypeError('Failed to fetch') });
  fill('The mesh', 'x');
  press(view.node, 'Submit');
  await settled();
  assert.match(told(), /Look at the jobs before you submit again/);
});

test('on another system its limits hold, and what was filled in stays', async () => {
  const other = form({ execSystemId: 'two', values: { execSystemId: 'two', execSystemLogicalQueue: 'normal', nodeCount: 8 } });
  const { fill, field, asked } = await shown({ [`GET ${FORM}?execSystemId=two`]: other });
  fill('The mesh', 'tapis://one/m');
  fill('System', 'two');
  await settled();
  assert.ok(asked.includes(`GET ${FORM}?execSystemId=two`));
  assert.deepEqual(['The mesh', 'System', 'Queue', 'Nodes'].map(label => field(label).value), ['tapis://one/m', 'two', 'normal', '8']);
});

test('a form that comes while something else is done is shown all the same', async () => {
  const other = form({ execSystemId: 'two', values: { execSystemId: 'two', execSystemLogicalQueue: 'normal', nodeCount: 8 } });
  let come;
  const { view, fill, field } = await shown({ [`GET ${FORM}?execSystemId=two`]: () => new Promise(resolve => (come = resolve)) });
  fill('The mesh', 'm');
  fill('System', 'two');
  await settled();
  press(view.node, 'Dry run');
  await settled();
  come(other);
  await settled();
  assert.equal(field('Nodes').value, '8');
});

test('a row of a list is checked once there is something in it, and can be taken away', async () => {
  const { view, fill, beside, bodies } = await shown();
  fill('The mesh', 'm');
  press(view.node, '+ Add');
  fill('Value', '1');
  press(view.node, 'Dry run');
  await settled();
  assert.equal(beside('Name'), '');
  assert.match(view.node.querySelector('.tj-FormRow .tj-Fault').textContent, /needed/);
  assert.equal(bodies.tried, undefined);
  press(view.node, '✕');
  press(view.node, 'Dry run');
  await settled();
  assert.equal(bodies.filled[0].values.moreEnv, undefined);
  assert.equal(bodies.tried.length, 1);
});

test('a cell is opened as a form, and what a form has no field for is kept', async () => {
  const { view, field, fill, told, bodies } = await shown({
    'POST /v3/tapisjobs/code/read': { request: { appId: 'solver', tags: ['x'] }, warnings: ['One line was odd.'] },
    [`POST ${FORM}/values`]: { values: { name: 'n', args: { mail: 'a@b' } }, rest: { tags: ['x'] } }
  });
  await view.open('%%tapisjob solver');
  assert.match(told(), /Kept as it was opened: tags\..*One line was odd\./);
  assert.deepEqual(['Name', 'mail', 'verbose'].map(label => field(label).value), ['n', 'a@b', '-v']);
  fill('The mesh', 'm');
  press(view.node, 'Dry run');
  await settled();
  assert.deepEqual(bodies.filled[0].rest, { tags: ['x'] });
});

test('the code is that of what stands in the form now', async () => {
  const copied = [];
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { clipboard: { writeText: async text => void copied.push(text) } } });
  const { view, bodies } = await shown({ 'POST /v3/tapisjobs/code': body => ({ cell: null, python: `submit(${body.request.appId})`, json: '{}' }) });
  press(view.node, 'Python');
  await settled();
  assert.deepEqual(copied, ['submit(solver)']);
  assert.equal(bodies.filled.length, 1);
});

test('a file is chosen for a field, which has the keyboard again after it', async () => {
  const { view, field } = await shown({
    'GET /v3/systems': [{ id: 'one' }],
    'GET /v3/files/ops/one/': [{ name: 'wave.msh', path: 'wave.msh', type: 'file', size: 1, lastModified: '' }]
  });
  press(view.node, 'Browse…');
  await settled();
  press(view.node, 'wave.msh');
  assert.equal(field('The mesh').value, 'tapis://one/wave.msh');
  assert.equal(window.document.activeElement, field('The mesh'));
  assert.equal(view.node.querySelector('.tj-Picker'), null);
  press(view.node, 'Browse…');
  press(view.node, 'Browse…');
  assert.equal(view.node.querySelector('.tj-Picker'), null);
});

test('what the job asks for at most is told while one fills in the form', async () => {
  const sized = form();
  sized.schema.properties.maxMinutes = { type: 'integer', title: 'Minutes', minimum: 1 };
  sized.values.maxMinutes = 30;
  const { view, fill } = await shown({ [`GET ${FORM}`]: sized });
  const cost = view.node.querySelector('.tj-Cost');
  assert.match(cost.textContent, /Asks for at most 0\.50 node-hours \(1 node for 30 min\)/);
  fill('Nodes', '2');
  assert.match(cost.textContent, /1\.00 node-hours/);
  for (const odd of ['', 'x', '-3']) {
    fill('Minutes', odd);
    assert.equal(cost.hidden, true);
  }
});

test('an allocation that was used is offered the next time on that system', async () => {
  globalThis.localStorage = window.localStorage;
  const charged = form();
  charged.schema.properties.allocation = { type: 'string', title: 'Allocation' };
  const answers = { [`GET ${FORM}`]: charged };
  const { view, fill } = await shown(answers);
  fill('The mesh', 'm');
  fill('Allocation', 'ABC-1');
  press(view.node, 'Submit');
  await settled();
  const again = await shown(answers);
  assert.deepEqual([...again.field('Allocation').list.options].map(each => each.value), ['ABC-1']);
  delete globalThis.localStorage;
});

test('allocations that the system lets one charge are offered behind those used before', async () => {
  const charged = form();
  charged.schema.properties.allocation = { type: 'string', title: 'Allocation' };
  const { field } = await shown({ [`GET ${FORM}`]: charged, 'GET /v3/tapisjobs/hosts/one/allocations': ['TG-1', '<b>'] });
  assert.deepEqual([...field('Allocation').list.options].map(each => each.value), ['TG-1', '<b>']);
});

/** A template, chosen; `values` is what the server makes of its request. */
async function ofTemplate(required, values = { name: 'solver', nodeCount: 2 }) {
  const found = await shown({
    'GET /v3/tapisjobs/templates': [{ name: 'pushover', appId: 'solver', required }],
    'GET /v3/tapisjobs/templates/pushover': { name: 'pushover', description: 'Pushes.', required, request: { appId: 'solver', nodeCount: 2 } },
    [`POST ${FORM}/values`]: { values, rest: { tags: ['x'] } }
  });
  const menu = [...found.view.node.querySelectorAll('select')].find(each => each.options[0]?.textContent === 'No template');
  menu.value = 'pushover';
  menu.dispatchEvent(new window.Event('change'));
  await settled();
  return { ...found, menu };
}

test('a template fills the form, and what it wants is marked and asked for', async () => {
  const { view, field, beside, bodies, told, fill } = await ofTemplate(['mail', 'DRIFT']);
  assert.match(told(), /Pushes\./);
  assert.equal(field('Nodes').value, '2');
  assert.ok(labels(view).some(each => each.textContent === 'mail *'));
  assert.deepEqual([field('Name').value, field('Value').value], ['solver', '']);
  fill('The mesh', 'm');
  press(view.node, 'Submit');
  await settled();
  assert.equal(bodies.sent, undefined);
  assert.deepEqual([beside('mail'), beside('Value')], ['This is needed.', 'This is needed.']);
  fill('mail', 'a@b');
  fill('Value', '0.04');
  press(view.node, 'Submit');
  await settled();
  assert.equal(bodies.sent.length, 1);
  assert.deepEqual(bodies.filled.at(-1).values.moreEnv, [{ key: 'DRIFT', value: '0.04' }]);
});

test('what a template wants stays marked on another system, and is nothing to the next app', async () => {
  const { view, field, menu } = await ofTemplate(['mail']);
  field('System').value = 'two';
  field('System').dispatchEvent(new window.Event('change'));
  field('System').dispatchEvent(new window.Event('input'));
  await settled();
  const isMarked = () => labels(view).some(each => each.textContent === 'mail *');
  assert.ok(isMarked());
  const apps = view.node.querySelector('select');
  apps.dispatchEvent(new window.Event('change'));
  await settled();
  assert.equal(isMarked(), false);
  assert.equal(menu.value, '');
});

test('without templates there is no choice of one', async () => {
  const { told } = await shown();
  assert.equal([...window.document.querySelectorAll('label')].find(each => each.textContent.startsWith('Template')).hidden, true);
  assert.match(told(), /App/);
});

test('without the server one can ask for the apps again', async () => {
  const gone = site({ 'GET /v3/apps': new TypeError('gone') });
  const view = new SubmitView(gone);
  await settled();
  assert.match(view.node.textContent, /The server does not answer\./);
  press(view.node, 'Try again');
  await settled();
  assert.equal(gone.asked.length, 2);
});

test('a cost is told only where the size is known', () => {
  assert.equal(cost({}), '');
  assert.equal(cost({ nodeCount: 1, maxMinutes: 600 }), `at most ${(10).toFixed(1)} node-hours (1 node for 600 min)`);
});
