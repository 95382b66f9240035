import assert from 'node:assert/strict';
import test from 'node:test';

import { page, press, settled, site } from './site.js';

page();
const { FilesView } = await import('../lib/views/files.js');
const { RefusedError } = await import('../lib/core/client.js');
const { filePreview, code, PreviewView } = await import('../lib/views/preview.js');

const LIST = 'GET /v3/jobs/u/output/list/';
const SHOW = 'GET /v3/jobs/u/output/preview/';
const file = (name, size = 10) => ({ name, type: 'file', size, lastModified: '2026-01-01T00:00:00Z' });

async function view(answers) {
  const server = site(answers);
  const shown = new FilesView(server, 'u', filePreview(server, 'u'));
  document.body.replaceChildren(shown.node);
  await shown.look();
  const names = () => [...shown.node.querySelectorAll('tbody button')].map(each => each.textContent);
  return { ...server, shown, names };
}

async function preview(name, answers, size = 10) {
  const shown = new PreviewView(site(answers), 'u', { name, path: name, size, isFolder: false, changed: '' });
  await settled();
  return shown;
}

test('folders come first and are walked into and out of', async () => {
  const { shown, names } = await view({
    [LIST]: [file('b.csv'), { name: 'run 1', type: 'dir' }],
    [`${LIST}run%201`]: [file('a.txt', 4100)]
  });
  assert.deepEqual(names(), ['▸ run 1/', 'b.csv']);
  press(shown.node, '▸ run 1/');
  await settled();
  assert.deepEqual(names(), ['a.txt']);
  assert.match(shown.node.querySelector('tbody').textContent, /4\.1 KB/);
  assert.match(shown.node.querySelector('.tj-Download').href, /output\/download\/run%201\/a\.txt\?allowIfRunning=true$/);
  press(shown.node.querySelector('nav'), 'outputs');
  await settled();
  assert.deepEqual(names(), ['▸ run 1/', 'b.csv']);
});

test('hostile names are text, in the table and in addresses', async () => {
  const { shown, names } = await view({ [LIST]: [file('<img src=x onerror=alert(1)>'), file('"?#%.txt')] });
  assert.equal(shown.node.querySelector('img'), null);
  assert.ok(names().includes('<img src=x onerror=alert(1)>'));
  assert.ok([...shown.node.querySelectorAll('.tj-Download')].some(link => link.href.includes('%22%3F%23%25.txt?')));
});

test('a job without files yet says so, as does a server that is away', async () => {
  assert.match((await view({})).shown.node.textContent, /No files yet\./);
  assert.match((await view({ [LIST]: new TypeError('Failed to fetch') })).shown.node.textContent, /does not answer/);
});

test('a file opens below the list and closes again', async () => {
  const { shown } = await view({ [LIST]: [file('a.txt')], [`${SHOW}a.txt`]: { kind: 'text', text: 'hello', note: '' } });
  press(shown.node, 'a.txt');
  await settled();
  assert.equal(shown.node.querySelector('.tj-Preview pre').textContent.trim(), 'hello');
  press(shown.node, 'a.txt');
  assert.ok(shown.node.querySelector('.tj-Preview').hidden);
});

test('a table is drawn as one, with its cells as text', async () => {
  const told = { kind: 'table', columns: ['t', '<b>u</b>'], rows: [[0, '<i>'], [1, null]], truncated: true };
  const { node } = await preview('d.csv', { [`${SHOW}d.csv`]: told }, 41e6);
  assert.deepEqual([...node.querySelectorAll('th')].map(cell => cell.textContent), ['t', '<b>u</b>']);
  assert.deepEqual([...node.querySelectorAll('td')].map(cell => cell.textContent), ['0', '<i>', '1', '']);
  assert.match(node.textContent, /The first 2 rows are shown/);
});

test('what is no text is said to be none, and a refusal is told in its place', async () => {
  assert.match((await preview('a.bin', { [`${SHOW}a.bin`]: { kind: 'binary', note: '' } })).node.textContent, /no text; download it/);
  assert.match((await preview('gone', {})).node.textContent, /there is no/);
});

test('a picture is shown as what its beginning says; a drawing that may hold scripts is not', async () => {
  const made = [];
  URL.createObjectURL = blob => (made.push(blob.type), 'blob:x');
  URL.revokeObjectURL = url => made.push(url);
  const image = { kind: 'image', mediaType: 'image/png' };
  const answers = { [`${SHOW}p.png`]: image, 'GET /v3/jobs/u/output/download/p.png': () => new Response('PNG') };
  const shown = await preview('p.png', answers);
  assert.equal(shown.node.querySelector('img').src, 'blob:x');
  shown.dispose();
  assert.deepEqual(made, ['image/png', 'blob:x']);
  for (const told of [{ kind: 'text', text: '<svg onload="x()"/>' }, { kind: 'image', mediaType: 'image/svg+xml' }]) {
    const drawing = await preview('p.svg', { [`${SHOW}p.svg`]: told });
    assert.equal(drawing.node.querySelector('svg, img'), null);
  }
  assert.match((await preview('p.png', { [`${SHOW}p.png`]: image }, 1e9)).node.textContent, /1\.0 GB is too large/);
});

test('an empty file is said to be empty', async () => {
  const shown = await preview('a.txt', { [`${SHOW}a.txt`]: { kind: 'text', text: '', size: 0, note: '' } }, 0);
  assert.match(shown.node.textContent, /The file is empty\./);
});

test('the lines of code open the file, whatever its name and kind', () => {
  const lines = (path, kind) => code('u', path, kind).split('\n').filter(line => line !== 'import jupyter_tapis_jobs as tj');
  const JOB = 'job = tj.connect().job("u")';
  assert.deepEqual(lines('a/d.csv'), [JOB, 'df = job.read_csv("a/d.csv")', 'df']);
  assert.deepEqual(lines('d.tsv'), [JOB, 'df = job.read_csv("d.tsv", sep="\\t")', 'df']);
  assert.deepEqual(lines('o"\n.txt'), [JOB, 'text = job.read("o\\"\\n.txt")', 'print(text)']);
  assert.deepEqual(lines('a.json', 'json'), ['import json', JOB, 'data = json.loads(job.read("a.json"))', 'data']);
  assert.deepEqual(lines('a.png', 'image'), ['from IPython.display import Image', JOB, 'Image(job.read_bytes("a.png"))']);
  assert.deepEqual(lines('a.nc', 'header')[2], 'data = xr.open_dataset(job.download("a.nc", unfinished=True))');
  assert.deepEqual(lines('a.h5', 'header')[2], 'file = h5py.File(job.download("a.h5", unfinished=True))');
  assert.deepEqual(lines('a.bin', 'binary'), [JOB, 'path = job.download("a.bin", unfinished=True)', 'path']);
});

test('the code goes into a cell where the page can do that, and a refusal is told', async () => {
  const given = [];
  const file = { name: 'a.csv', path: 'a.csv', size: 9, isFolder: false, changed: '' };
  const server = site({ [`${SHOW}a.csv`]: { kind: 'table', columns: ['t'], rows: [[1]], note: '' } });
  const shown = new PreviewView({ ...server, insertCode: code => void given.push(code) }, 'u', file);
  await settled();
  press(shown.node, 'Load as DataFrame');
  await settled();
  assert.match(given[0], /job\.read_csv\("a\.csv"\)/);
  assert.match(shown.node.textContent, /The code is in a cell/);
  const none = () => Promise.reject(new RefusedError(409, 'No notebook is open.'));
  const other = new PreviewView({ ...server, insertCode: none }, 'u', file);
  await settled();
  press(other.node, 'Load as DataFrame');
  await settled();
  assert.match(other.node.textContent, /No notebook is open\./);
});

test('a copy of a file is opened where the page can do that, and it is told where it is', async () => {
  const given = [];
  const file = { name: 'a.csv', path: 'out/a.csv', size: 9, isFolder: false, changed: '' };
  const server = site({ [`${SHOW}out/a.csv`]: { kind: 'table', columns: ['t'], rows: [[1]], note: '' } });
  const open = async (uuid, name, copy) => (given.push([uuid, name, await copy.text()]), 'work/jobs-u/a.csv');
  const wire = { ...server.wire, request: async (method, path) => (given.push(path), new Response('t\n1\n')) };
  const shown = new PreviewView({ ...server, wire, openFile: open }, 'u', file);
  await settled();
  press(shown.node, 'Open a copy in Lab');
  await settled();
  await settled();
  assert.match(given[0], /output\/download\/out\/a\.csv/);
  assert.deepEqual(given[1], ['u', 'a.csv', 't\n1\n']);
  assert.match(shown.node.textContent, /A copy is in work\/jobs-u\/a\.csv\./);
  const full = new PreviewView({ ...server, wire, openFile: () => Promise.reject(new Error('No space left.')) }, 'u', file);
  await settled();
  press(full.node, 'Open a copy in Lab');
  await settled();
  await settled();
  assert.match(full.node.textContent, /It could not be copied: No space left\./);
  const large = new PreviewView({ ...server, openFile: open }, 'u', { ...file, size: 2e9 });
  await settled();
  press(large.node, 'Open a copy in Lab');
  assert.match(large.node.textContent, /This file of 2\.0 GB is too large to be copied by the page; download it\./);
});

test('a page without viewers of its own offers no copy', async () => {
  const file = { name: 'a.csv', path: 'a.csv', size: 9, isFolder: false, changed: '' };
  const shown = new PreviewView(site({ [`${SHOW}a.csv`]: { kind: 'table', columns: ['t'], rows: [[1]], note: '' } }), 'u', file);
  await settled();
  assert.throws(() => press(shown.node, 'Open a copy in Lab'));
});
