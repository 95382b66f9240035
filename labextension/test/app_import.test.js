import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

page();
const { definitionsIn } = await import('../lib/core/app_import.js');
const { AppsView } = await import('../lib/views/apps.js');

const APP = { id: 'mine', version: '1.0', containerImage: 'x' };

/** The form with a text, imported. */
async function imported(told, answers) {
  const at = site({ 'GET /v3/apps': [], ...answers });
  const { node } = new AppsView(at.client, {}, clock().later);
  document.body.replaceChildren(node);
  await settled();
  press(node, 'Import');
  node.querySelector('.tj-Import textarea').value = told;
  node.querySelector('.tj-Import').dispatchEvent(new Event('submit', { cancelable: true }));
  await settled();
  const lines = () => [...node.querySelectorAll('.tj-Import li')].map(each => each.textContent.trim());
  return { ...at, node, lines };
}

const READ = 'POST /v3/tapisjobs/definitions/read';

test('one definition, a list and the envelope of an answer are all taken, without what the server computes', async () => {
  const { client } = site();
  const told = { ...APP, owner: 'ana', uuid: 'u', tenant: 't' };
  for (const held of [told, [told], { result: told, status: 'success' }, { result: [told] }]) {
    assert.deepEqual(await definitionsIn(client, JSON.stringify(held)), [APP]);
  }
});

test('what is no definition of an app is told by what it is', async () => {
  const { client } = site({ [READ]: refusal(400, 'JOBS_INVALID_INPUT The text is neither YAML nor JSON in line 1: <b>.') });
  await assert.rejects(definitionsIn(client, '<b>: ['), /neither YAML nor JSON in line 1: <b>/);
  await assert.rejects(definitionsIn(client, '[]'), /It is empty/);
  await assert.rejects(definitionsIn(client, '{"appId": "x"}'), /It is a job request/);
  await assert.rejects(definitionsIn(client, JSON.stringify([APP, { id: 'x' }])), /Number 2 is no app/);
  await assert.rejects(definitionsIn(client, ' '.repeat(4_000_001)), /It is too long/);
});

test('YAML is read by the server, whose documents are the definitions', async () => {
  const given = [];
  const { client } = site({
    [READ]: body => {
      given.push(body);
      return { definitions: [{ ...APP, owner: 'ana' }, [APP]] };
    }
  });
  assert.deepEqual(await definitionsIn(client, 'id: mine\n'), [APP, APP]);
  assert.deepEqual(given, [{ text: 'id: mine\n' }]);
});

test('each definition tells what became of it, and the catalogue is read again', async () => {
  const { lines, asked } = await imported(JSON.stringify([APP, { ...APP, id: 'bad' }]), {
    'POST /v3/apps': ({ id }) => (id === 'bad' ? refusal(400, 'JOBS_INVALID_INPUT runtime is missing.') : Response.json({ result: { url: '', warnings: ['extra is not known.'] } }))
  });
  assert.deepEqual(lines(), ['✓ created mine 1.0 ⚠ extra is not known.', '✗ refused bad 1.0 runtime is missing.']);
  assert.equal(asked.filter(each => each.startsWith('GET /v3/apps')).length, 2);
});

test('one that is there stays until it is said that it is replaced', async () => {
  const put = [];
  const { node, lines } = await imported(JSON.stringify(APP), {
    'POST /v3/apps': () => refusal(409, 'JOBS_CONFLICT App mine 1.0 exists.'),
    'PUT /v3/apps/mine/1.0': body => {
      put.push(body);
      return { url: '', warnings: [] };
    }
  });
  assert.deepEqual(lines(), ['⚠ exists mine 1.0 App mine 1.0 exists. Replace it']);
  press(node, 'Replace it');
  await settled();
  assert.deepEqual(put, [APP]);
  assert.deepEqual(lines(), ['✓ replaced mine 1.0']);
});

test('what a definition is called is text', async () => {
  const id = '<img src=x onerror=alert(1)>';
  const { node, lines } = await imported(JSON.stringify({ ...APP, id }), { 'POST /v3/apps': () => refusal(400, id) });
  assert.equal(node.querySelector('img'), null);
  assert.match(lines()[0], /<img/);
});
