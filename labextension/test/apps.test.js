import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, settled, site } from './site.js';

const window = page();
const { AppsView } = await import('../lib/views/apps.js');

const APPS = [
  { id: 'opensees-py', version: '3.7', description: 'Nonlinear models of structures', runtime: 'SINGULARITY', owner: 'wma', enabled: true,
    versionEnabled: true, tags: ['earthquake'], notes: { label: 'OpenSeesPy', category: 'Simulation' } },
  { id: 'python', version: '1.0', description: null, runtime: 'ZIP', owner: 'ana', enabled: true, versionEnabled: false, tags: null, notes: null }
];

async function view(apps = APPS, host = {}) {
  const answers = { 'GET /v3/apps': () => apps };
  const at = site(answers);
  const time = clock();
  const shown = new AppsView(at.client, host, time.later);
  document.body.replaceChildren(shown.node);
  await settled();
  const type = words => {
    const entry = shown.node.querySelector('input');
    entry.value = words;
    entry.dispatchEvent(new window.Event('input'));
  };
  return { ...at, answers, shown, time, type, node: shown.node };
}

const titles = node => [...node.querySelectorAll('.tj-App .tj-Title')].map(each => each.textContent);

test('each app is told with label, version, what it is, and whether it may be used', async () => {
  const { node } = await view();
  assert.deepEqual(titles(node), ['OpenSeesPy (opensees-py 3.7)', 'python 1.0']);
  assert.deepEqual([...node.querySelectorAll('.tj-State')].map(each => `${each.textContent} ${each.dataset.tone}`),
    ['✓ enabled finished', '⊘ disabled cancelled']);
  assert.match(node.textContent, /Nonlinear models of structures · Simulation · SINGULARITY · by wma · earthquake/);
});

test('the search takes all words, in any of what is told, without regard to case', async () => {
  const { node, type } = await view();
  type('EARTH opensees');
  assert.deepEqual(titles(node), ['OpenSeesPy (opensees-py 3.7)']);
  assert.equal(node.querySelector('.tj-Total').textContent, '1 of 2 apps');
  type('earth python');
  assert.deepEqual(titles(node), []);
  assert.equal(node.querySelector('.tj-Empty').textContent, 'No app is like this.');
  type('');
  assert.equal(titles(node).length, 2);
});

test('a form is offered where the page has one, for apps that may be used', async () => {
  const asked = [];
  const { node } = await view(APPS, { submit: (...given) => asked.push(given) });
  press(node, 'Submit…');
  assert.deepEqual(asked, [['opensees-py', '3.7']]);
  assert.equal(node.querySelectorAll('li button').length, 1);
  assert.equal((await view()).node.querySelectorAll('li button').length, 0);
});

test('a catalogue of thousands draws its beginning, and the search finds the rest', async () => {
  const many = Array.from({ length: 3000 }, (_, place) => ({ id: `app-${place}`, version: '1', enabled: true }));
  const { node, type } = await view(many);
  assert.equal(titles(node).length, 200);
  assert.match(node.textContent, /and 2,800 more: search for them/);
  type('app-2999');
  assert.deepEqual(titles(node), ['app-2999 1']);
});

test('what an app is called is text', async () => {
  const name = '<img src=x onerror=alert(1)>';
  const { node } = await view([{ id: 'a', version: '1', description: name, tags: [name], notes: { label: name, category: name } }]);
  assert.equal(node.querySelector('img'), null);
  assert.equal(node.textContent.split(name).length, 5);
});

test('a look that finds nothing new leaves what is shown in place', async () => {
  const { node, time } = await view();
  const [line] = node.querySelectorAll('li.tj-App');
  time.next();
  await settled();
  assert.equal(node.querySelector('li.tj-App'), line);
});

test('no apps are told as none', async () => {
  const { node } = await view([]);
  assert.equal(node.querySelector('.tj-Empty').textContent, 'No apps yet. Import the definition of one.');
});
