import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

page();
const { RefusedError } = await import('../lib/core/client.js');
const { askedBy, keyFault, reached } = await import('../lib/core/host_sign_in.js');
const { SystemsView } = await import('../lib/views/systems.js');

const HOSTS = '/v3/tapisjobs/hosts';
const KEY = `SHA256:${'a'.repeat(43)}`;
const REPORT = { lines: ['Slurm 24.05'], warnings: [], queues: [], runtimes: [], workDir: '/w', arrays: { max: 0 } };
const newKey = () => refusal(409, 'JOBS_HOST_KEY new key', { fingerprint: KEY, known: null });
const changedKey = () => refusal(409, 'JOBS_HOST_KEY cluster shows another key than before.', { fingerprint: KEY, known: 'SHA256:old' });
const needs = (what, told = 'wrong') => refusal(400, `JOBS_HOST_SIGN_IN ${told}`, { needs: what });

/** The form, filled in; `answer` is what the server says to each body that comes. */
async function form(answer, values = { id: 'cluster', host: 'login.example.org', user: 'train301' }) {
  const sent = [];
  const take = body => {
    sent.push(body);
    return answer(body, sent.length);
  };
  const at = site({ 'GET /v3/systems': [], [`GET ${HOSTS}`]: [], 'POST /v3/jobs/search': [], [`POST ${HOSTS}`]: take });
  const { node } = new SystemsView(at.client, clock().later);
  document.body.replaceChildren(node);
  await settled();
  press(node, 'Add a host');
  const labels = { id: 'Name', host: 'Host', user: 'User', port: 'Port', keyFile: 'Key file on the server' };
  for (const [name, value] of Object.entries(values)) {
    const label = [...node.querySelectorAll('label')].find(each => each.textContent.replace(' *', '') === labels[name]);
    document.getElementById(label.getAttribute('for')).value = value;
  }
  const submit = async at => {
    node.querySelector(at).dispatchEvent(new Event('submit', { cancelable: true }));
    await settled();
  };
  await submit('.tj-AddHost');
  const dialog = node.querySelector('dialog');
  const say = async told => {
    const entry = dialog.querySelector('input');
    if (entry) {
      entry.value = told;
    }
    await submit('dialog form');
  };
  return { ...at, node, sent, dialog, say, note: node.querySelector('.tj-AddHost .tj-Note') };
}

test('a new key is shown with its fingerprint, and only a yes sends it back', async () => {
  const { sent, dialog, say, note, asked } = await form(body => (body.trust ? { system: {}, report: REPORT } : newKey()));
  assert.equal(dialog.querySelector('.tj-Fingerprint').textContent, KEY);
  assert.equal(document.activeElement.textContent, 'Stop');
  await say();
  assert.deepEqual(sent, [
    { id: 'cluster', host: 'login.example.org', user: 'train301' },
    { id: 'cluster', host: 'login.example.org', user: 'train301', trust: KEY }
  ]);
  assert.equal(note.textContent, 'cluster is ready.\nSlurm 24.05');
  assert.equal(asked.filter(each => each.startsWith('GET /v3/systems')).length, 2);
});

test('a no to the key adds nothing', async () => {
  const { sent, dialog, note } = await form(newKey);
  press(dialog, 'Stop');
  await settled();
  assert.equal(sent.length, 1);
  assert.equal(note.textContent, 'Stopped; nothing was added.');
});

test('Escape is a no, and the keyboard is back where it was', async () => {
  const { dialog, node, note } = await form(newKey);
  dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
  await settled();
  assert.equal(note.textContent, 'Stopped; nothing was added.');
  assert.ok(node.querySelector('.tj-AddHost').contains(document.activeElement) || document.activeElement === document.body);
});

test('a changed key is never a question', async () => {
  const { sent, dialog, note } = await form(changedKey);
  assert.equal(dialog.childElementCount, 0);
  assert.equal(sent.length, 1);
  assert.equal(note.textContent, '⚠ cluster shows another key than before.');
});

test('password and code are asked for in fields that hide them, and none stays in the page', async () => {
  const { sent, dialog, say, node } = await form((body, turn) => {
    const answers = [newKey, () => needs('password'), () => refusal(409, 'JOBS_HOST_CODE a code', { prompts: ['Token:'] })];
    return answers[turn - 1]?.() ?? { system: {}, report: REPORT };
  });
  await say();
  assert.equal(dialog.querySelector('input').type, 'password');
  await say('hunter2 ');
  assert.match(dialog.textContent, /Token:/);
  await say('123456');
  assert.deepEqual(sent.at(-1), { id: 'cluster', host: 'login.example.org', user: 'train301', trust: KEY, password: 'hunter2 ', code: '123456' });
  assert.equal([...node.querySelectorAll('input')].some(({ value }) => ['hunter2 ', '123456'].includes(value)), false);
});

test('a wrong password is asked for three times, then its sentence stands', async () => {
  const { sent, say, note } = await form(() => needs('password', 'cluster does not let train301 in.'));
  for (const word of ['a', 'b', 'c']) {
    await say(word);
  }
  assert.equal(sent.length, 4);
  assert.equal(note.textContent, '⚠ cluster does not let train301 in.');
});

test('a name that is taken is asked about before it is replaced', async () => {
  const { sent, dialog, say } = await form(body => (body.replace ? { system: {}, report: REPORT } : refusal(409, 'SYSAPI_EXISTS There is a system cluster.')));
  assert.match(dialog.textContent, /Replace system cluster\?There is a system cluster\./);
  await say();
  assert.equal(sent[1].replace, true);
});

test('what is not right in the form is told beside its field, and nothing is sent', async () => {
  const { sent, node } = await form(() => null, { id: '-x', port: '99999' });
  assert.equal(sent.length, 0);
  const faults = [...node.querySelectorAll('.tj-Fault')].map(each => each.textContent).filter(Boolean);
  assert.equal(faults.length, 3);
});

test('an answer that is no question ends the talk with its own words', async () => {
  await assert.rejects(reached(() => Promise.reject(new RefusedError(503, 'JOBS_HOST_UNREACHABLE No route.')), () => assert.fail()), /^Error: No route\.$/);
  assert.equal(askedBy(new TypeError('network'), {}), null);
});

test('the public half of a key and what is no key are told before anything is sent', () => {
  assert.match(keyFault('ssh-ed25519 AAAA me@here'), /public half/);
  assert.match(keyFault('hello'), /not a private key/);
  assert.equal(keyFault('-----BEGIN OPENSSH PRIVATE KEY-----\nx'), '');
});

test('what a host calls itself and asks is text', async () => {
  const name = '<img src=x onerror=alert(1)>';
  const { node, dialog } = await form(() => refusal(409, `JOBS_HOST_CODE ${name}`, { prompts: [name] }));
  assert.equal(node.querySelector('img'), null);
  assert.match(dialog.textContent, /<img src=x/);
});
