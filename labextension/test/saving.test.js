import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, refusal, settled, site } from './site.js';

const window = page();
const { Saving } = await import('../lib/views/saving.js');
const { FilesView } = await import('../lib/views/files.js');

const FILE = 'GET /v3/jobs/u/output/download/a.txt';
const LIST = 'GET /v3/jobs/u/output/list/';

/** What the browser is given to save: names, and addresses or texts. */
const saved = [];
window.HTMLAnchorElement.prototype.click = function () {
  saved.push([this.download, this.href]);
};

function saving(answers) {
  saved.length = 0;
  const server = site(answers);
  const shown = new Saving(server, 'u', clock().later);
  document.body.replaceChildren(shown.node);
  return { ...server, shown, text: () => shown.node.textContent };
}

/** An answer that comes when it is told to. */
function slow(length) {
  let control;
  const stream = new ReadableStream({ start: given => void (control = given) });
  const headers = length ? { 'Content-Length': String(length) } : {};
  return { response: new Response(stream, { headers }), more: told => control.enqueue(new TextEncoder().encode(told)), end: () => control.close(), fail: () => control.error(new TypeError('network error')) };
}

const wanted = { path: 'a.txt', name: 'a.txt', size: 9 };

test('a file comes with its progress, and is handed over when it is whole', async () => {
  const file = slow(9);
  const { shown, text } = saving({ [FILE]: () => file.response });
  const done = shown.save(wanted);
  file.more('four');
  await settled();
  assert.match(text(), /a\.txt4 B of 9 B/);
  assert.equal(shown.node.querySelector('progress').value, 4);
  assert.deepEqual(saved, []);
  file.more('-more');
  file.end();
  await done;
  assert.equal(text(), '');
  assert.equal(saved[0][0], 'a.txt');
  assert.equal(await (await fetch(saved[0][1])).text(), 'four-more');
});

test('a download that breaks off says how far it came, and is tried again', async () => {
  const [first, second] = [slow(9), slow(9)];
  const answers = [first, second];
  const { shown, text } = saving({ [FILE]: () => answers.shift().response });
  const done = shown.save(wanted);
  first.more('four');
  await settled();
  first.fail();
  await done;
  assert.match(text(), /does not answer\. 4 B of 9 B/);
  press(shown.node, 'Try again');
  second.more('all of it');
  second.end();
  await settled();
  assert.equal(await (await fetch(saved[0][1])).text(), 'all of it');
});

test('what the server refuses is told in its words', async () => {
  const { shown, text } = saving({ [FILE]: refusal(404, 'job x has no output a.txt.') });
  await shown.save(wanted);
  assert.match(text(), /job x has no output a\.txt\./);
  assert.deepEqual(saved, []);
});

test('a download that is stopped saves nothing', async () => {
  const file = slow();
  const { shown, text } = saving({ [FILE]: () => file.response });
  const done = shown.save(wanted);
  file.more('four');
  await settled();
  press(shown.node, 'Stop');
  file.more('more');
  await done;
  assert.deepEqual([text(), saved], ['', []]);
});

test('what is too large for the page is left to the browser', async () => {
  const { shown, asked } = saving({});
  const link = shown.link('', 'Download', '', () => ({ ...wanted, size: 2 * 1024 ** 3 }));
  const event = new MouseEvent('click', { cancelable: true });
  link.dispatchEvent(event);
  assert.equal(event.defaultPrevented, false);
  assert.match(link.href, /\/output\/download\/a\.txt\?allowIfRunning=true$/);
  assert.deepEqual(asked, []);
});

test('chosen entries come in one zip file, one file as it is, and all where none is chosen', async () => {
  saved.length = 0;
  const row = (name, type = 'file') => ({ name, type, size: 1, lastModified: '2026-01-01T00:00:00Z' });
  const server = site({ [LIST]: [row('a.txt'), row('b, c.txt'), row('runs', 'dir')] });
  const view = new FilesView(server, 'u', () => ({ renew: () => undefined, dispose: () => undefined }));
  document.body.replaceChildren(view.node);
  await view.look();
  const choose = name => view.node.querySelector(`[aria-label="Choose ${name}"]`).click();
  const zip = () => [...view.node.querySelectorAll('.tj-Bar a')].at(-1);
  const press = async () => {
    zip().dispatchEvent(new MouseEvent('click', { cancelable: true }));
    await settled();
    return decodeURIComponent(server.asked.at(-1).replace(/.*download/, ''));
  };
  assert.equal(await press(), '/?allowIfRunning=true&compress=true');
  choose('b, c.txt');
  assert.equal(zip().textContent, 'Download 1 file');
  assert.equal(await press(), '/b, c.txt?allowIfRunning=true');
  choose('runs');
  assert.equal(zip().textContent, 'Download 2 (zip)');
  assert.equal((await press()).replaceAll('+', ' '), '/?allowIfRunning=true&compress=true&only=b, c.txt/runs');
});
