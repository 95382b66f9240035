import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './site.js';

const window = page();
globalThis.window = window;
const { Chips } = await import('../lib/views/chips.js');
const { Bulk } = await import('../lib/views/bulk.js');
const { Dock } = await import('../lib/views/dock.js');
const { press } = await import('../lib/views/keys.js');
const { Selection } = await import('../lib/core/selection.js');
const { RefusedError } = await import('../lib/core/client.js');
const { added, cancelling, downloading, hiding, pausing, resubmitting, resuming } = await import('../lib/views/deeds.js');
const { askToShare } = await import('../lib/views/share.js');

const settle = () => new Promise(resolve => setImmediate(resolve));
const named = (node, name) => [...node.querySelectorAll('button')].find(button => button.textContent === name);

test('a chip is there for each group that has jobs, and pressed ones stay though none is left', () => {
  const heard = [];
  const chips = new Chips(groups => heard.push([...groups]));
  const seen = () => [...chips.node.children].filter(chip => !chip.hidden).map(chip => chip.textContent);
  assert.deepEqual(seen(), []);
  chips.tell(new Map([['running', 3], ['failed', 1200]]));
  assert.deepEqual(seen(), [`▶ running ${(3).toLocaleString()}`, `✗ failed ${(1200).toLocaleString()}`]);
  [...chips.node.children].find(chip => chip.textContent.includes('running')).click();
  chips.tell(new Map());
  assert.deepEqual(seen(), ['▶ running 0']);
  [...chips.node.children].find(chip => !chip.hidden).click();
  assert.deepEqual(heard, [['running'], []]);
});

const ALL_GOOD = async uuids => uuids.map(uuid => ({ uuid, status: 'success', message: '' }));

/** The bar of three chosen jobs, one of which is hidden; `jobs` answers. */
function bulk(jobs = {}) {
  const names = new Map([['a', 'one'], ['b', '<img src=x onerror=alert(1)>']]);
  const selection = new Selection(() => view.draw());
  const changes = [];
  const host = {
    selection,
    shown: () => ['a', 'b'],
    name: uuid => names.get(uuid),
    all: async () => ['a', 'b', 'c', 'd'],
    total: () => 4,
    changed: () => changes.push(selection.uuids)
  };
  const view = new Bulk(host, [cancelling(jobs), pausing(jobs), resuming(jobs), resubmitting(jobs), hiding(jobs)]);
  selection.add(['a', 'b', 'c']);
  return { view, selection, changes };
}

test('chosen jobs that cannot be seen are counted too', () => {
  const { view } = bulk();
  assert.match(view.node.textContent, /3 selected, 1 not in view/);
});

test('where nothing is chosen the bar keeps its place, and only choosing is offered', () => {
  const { view, selection } = bulk();
  selection.clear();
  const bar = view.node.firstElementChild;
  assert.equal(bar.hidden, false);
  assert.match(bar.textContent, /^Nothing selected/);
  assert.equal(named(view.node, 'Select all 4').closest('[hidden]'), null);
  assert.notEqual(named(view.node, 'Clear').closest('[hidden]'), null);
  assert.notEqual(named(view.node, 'Cancel…').closest('[hidden]'), null);
});

test('many are cancelled after one question with their number and names, as text', async () => {
  const asked = [];
  const cancel = async uuids => {
    asked.push(uuids);
    return uuids.map(uuid => ({ uuid, status: uuid === 'b' ? 'error' : 'success', message: 'It has ended already.' }));
  };
  const { view } = bulk({ cancel });
  named(view.node, 'Cancel…').click();
  assert.deepEqual(asked, []);
  assert.match(view.node.textContent, /End these 3 jobs\? one, <img src=x onerror=alert\(1\)>, c/);
  named(view.node, 'Cancel 3 jobs').click();
  await settle();
  assert.deepEqual(asked, [['a', 'b', 'c']]);
  assert.match(view.node.textContent, /2 of 3 are asked to end\..*<img src=x onerror=alert\(1\)>: It has ended already\./);
  assert.equal(view.node.querySelector('img'), null);
});

test('a no to the question ends nothing', () => {
  const { view } = bulk({ cancel: () => assert.fail('it was asked to end jobs') });
  named(view.node, 'Cancel…').click();
  named(view.node, 'Keep').click();
  assert.equal(view.node.querySelector('[role=alertdialog]').hidden, true);
});

test('a refusal of all is told in the words of the server', async () => {
  const cancel = async () => {
    throw new RefusedError(503, 'Not now; try again.');
  };
  const { view } = bulk({ cancel });
  named(view.node, 'Cancel…').click();
  named(view.node, 'Cancel 3 jobs').click();
  await settle();
  assert.match(view.node.textContent, /Cancelling failed\. Not now; try again\./);
});

test('a keyboard that was asked comes back to where it was', () => {
  const { view } = bulk();
  window.document.body.append(view.node);
  named(view.node, 'Cancel…').focus();
  named(view.node, 'Cancel…').click();
  assert.equal(window.document.activeElement.textContent, 'Cancel 3 jobs');
  named(view.node, 'Keep').click();
  assert.equal(window.document.activeElement.textContent, 'Cancel…');
  view.node.remove();
});

test('jobs are paused at once, those that run say why not, and an undo lets the others go on', async () => {
  const asked = [];
  const { view } = bulk({
    pause: async uuids => {
      asked.push(['pause', uuids]);
      return uuids.map(uuid => ({ uuid, status: uuid === 'b' ? 'error' : 'success', message: 'It began already.' }));
    },
    resume: async uuids => {
      asked.push(['resume', uuids]);
      return ALL_GOOD(uuids);
    }
  });
  named(view.node, 'Pause').click();
  await settle();
  assert.match(view.node.textContent, /2 of 3 are held\..*: It began already\./);
  named(view.node, 'Undo').click();
  await settle();
  assert.deepEqual(asked, [['pause', ['a', 'b', 'c']], ['resume', ['a', 'c']]]);
  assert.match(view.node.textContent, /2 of 2 are as they were\./);
  named(view.node, 'Resume').click();
  await settle();
  assert.match(view.node.textContent, /3 of 3 go on\./);
});

test('many are submitted again after a question, and how far it is is told', async () => {
  const { view } = bulk({
    resubmit: async (uuids, step) => {
      step(2);
      assert.match(view.node.textContent, /Submitting: 2 of 3 …/);
      return ALL_GOOD(uuids);
    }
  });
  named(view.node, 'Submit again…').click();
  assert.match(view.node.textContent, /Submit these 3 jobs again\?/);
  named(view.node, 'Submit 3 jobs').click();
  await settle();
  assert.match(view.node.textContent, /3 of 3 are submitted again\./);
});

test('jobs are hidden at once, are no more chosen then, and an undo shows those again that were hidden', async () => {
  const asked = [];
  const { view, selection, changes } = bulk({
    setVisible: async (uuids, isVisible) => {
      asked.push([uuids, isVisible]);
      return uuids.map(uuid => ({ uuid, status: uuid === 'c' ? 'error' : 'success', message: 'It is not yours.' }));
    }
  });
  named(view.node, 'Hide').click();
  await settle();
  assert.match(view.node.textContent, /2 of 3 are hidden\.Close.*Undo.*c: It is not yours\./);
  assert.deepEqual(selection.uuids, ['c']);
  named(view.node, 'Undo').click();
  await settle();
  assert.deepEqual(asked, [[['a', 'b', 'c'], false], [['a', 'b'], true]]);
  assert.match(view.node.textContent, /2 of 2 are as they were\./);
  assert.equal(changes.length, 2);
});

test('outputs are saved by the browser, a zip for each job, and no more than it can bear', async () => {
  const saved = [];
  const deed = downloading({ zipUrl: uuid => `/zip/${uuid}` }, (url, name) => saved.push([url, name]));
  const outcomes = await deed.run(Array.from({ length: 60 }, (_, at) => `u${at}`), () => undefined);
  assert.equal(saved.length, 50);
  assert.deepEqual(saved[0], ['/zip/u0', 'u0.zip']);
  assert.deepEqual(outcomes[59], { uuid: 'u59', status: 'error', message: 'at most 50 are saved at once.' });
});

test('parts of jobs are shared with somebody, and taken back', async () => {
  const asked = [];
  const jobs = {
    share: (uuids, whom, parts) => (asked.push([whom, parts]), ALL_GOOD(uuids)),
    unshare: (uuids, whom) => (asked.push([whom]), ALL_GOOD(uuids))
  };
  const { view } = bulk();
  window.document.body.append(view.node);
  const fill = name => {
    askToShare(view, jobs, ['a', 'b']);
    view.node.querySelector('input[type=text]').value = name;
  };
  fill(' ');
  named(view.node, 'Share').click();
  assert.deepEqual(asked, []);
  fill(' grace ');
  named(view.node, 'Share').click();
  await settle();
  assert.match(view.node.textContent, /2 of 2 are shared with grace\./);
  fill('grace');
  named(view.node, 'Take back').click();
  await settle();
  assert.match(view.node.textContent, /2 of 2 are no more shared with grace\./);
  assert.deepEqual(asked, [['grace', ['JOB_HISTORY', 'JOB_OUTPUT']], ['grace']]);
  view.node.remove();
});

test('an action of another package asks in its own words, does it in portions, and tells each answer as text', async () => {
  const asked = [];
  const extras = { run: async (name, uuids) => (asked.push([name, uuids.length]), ALL_GOOD(uuids)) };
  const action = { name: 'publish', title: '<b>Publish</b>', confirm: 'Publish for all to see?', statuses: [] };
  const { view, changes } = bulk();
  view.add(added(action, extras));
  named(view.node, '<b>Publish</b>…').click();
  assert.match(view.node.textContent, /Publish for all to see\? \(3 jobs\)/);
  named(view.node, '<b>Publish</b>').click();
  await settle();
  assert.equal(view.node.querySelector('b'), null);
  assert.equal(changes.length, 1);
  await added(action, extras).run(Array(1500).fill('u'), () => undefined);
  assert.deepEqual(asked, [['publish', 3], ['publish', 1000], ['publish', 500]]);
});

test('select all means all that the filter finds, loaded or not', async () => {
  const { view, selection } = bulk();
  named(view.node, 'Select all 4').click();
  await settle();
  assert.deepEqual(selection.uuids, ['a', 'b', 'c', 'd']);
});

test('keys are not taken from who types a text, nor from who holds a modifier', () => {
  const acted = [];
  const keys = [{ keys: ['j'], words: 'down', act: () => acted.push('j') }];
  const [input, place] = [window.document.createElement('input'), window.document.createElement('div')];
  place.append(input);
  place.addEventListener('keydown', event => press(keys, event));
  const type = (node, init) => node.dispatchEvent(new window.KeyboardEvent('keydown', { bubbles: true, ...init }));
  type(place, { key: 'j' });
  type(input, { key: 'j' });
  type(place, { key: 'j', ctrlKey: true });
  type(place, { key: 'z' });
  assert.deepEqual(acted, ['j']);
});

test('of two jobs opened quickly the last one is shown, and the other is put away', async () => {
  const made = [];
  const dock = new Dock(
    async uuid => {
      await settle();
      const shown = { node: window.document.createElement('p'), isGone: false, dispose: () => (shown.isGone = true) };
      shown.node.textContent = uuid;
      made.push(shown);
      return shown;
    },
    () => undefined
  );
  await Promise.all([dock.open('a'), dock.open('b')]);
  assert.deepEqual(made.map(({ node, isGone }) => [node.textContent, isGone]), [['a', true], ['b', false]]);
  assert.match(dock.node.textContent, /b$/);
  dock.close();
  assert.equal(made[1].isGone, true);
  assert.equal(dock.node.hidden, true);
});
