import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, page, press, settled } from './site.js';

page();
const { StudyFilter } = await import('../lib/views/study_filter.js');
const keys = await import('../lib/views/keys.js');

const study = (name, counts, cohortId = `study:${name}`) => ({
  name, cohortId, counts, cases: Object.values(counts).reduce((sum, count) => sum + count, 0)
});
const WIND = study('wind', { FINISHED: 1, FAILED: 2, RUNNING: 1 });
const HOSTILE = study('<img src=x>', { PENDING: 3 });

/** The list beside a grid; `server.studies` are what is there, `server.looks` how often it was asked. */
async function beside(studies, { storage = null, width = 1200 } = {}) {
  const server = { studies, looks: 0 };
  const list = async () => {
    server.looks += 1;
    return server.studies instanceof Error ? Promise.reject(server.studies) : server.studies;
  };
  const chosen = [];
  const time = clock();
  const filter = new StudyFilter(list, cohortId => chosen.push(cohortId), time.later, storage);
  filter.fit(width);
  const [opener, chip] = filter.controls;
  document.body.replaceChildren(opener, chip, filter.node);
  const turn = async () => {
    time.next();
    await settled();
  };
  filter.renew();
  await turn();
  return { server, chosen, time, turn, filter, opener, chip, node: filter.node };
}

function store(held = {}) {
  return { held, getItem: name => held[name] ?? null, setItem: (name, value) => (held[name] = value) };
}

const pressed = node => [...node.querySelectorAll('[aria-pressed=true]')].map(each => each.textContent);
const names = node => [...node.querySelectorAll('.tj-Name')].map(each => each.textContent);

test('each study tells its name, how far it is and its failures, and a name is text', async () => {
  const { node } = await beside([WIND, HOSTILE]);
  assert.deepEqual([...node.querySelectorAll('button')].map(each => each.textContent),
    ['All jobs', 'wind 3 of 4 ended   ✗ 2 failed', '<img src=x> 0 of 3 ended']);
  assert.equal(node.querySelector('img'), null);
  assert.equal(node.querySelector('[role=progressbar]').getAttribute('aria-label'), 'Progress of study wind');
});

test('who has no studies sees neither the list nor what opens it', async () => {
  const { node, opener, server, filter, turn } = await beside([]);
  assert.deepEqual([node.hidden, opener.hidden], [true, true]);
  server.studies = [WIND];
  filter.hear({ uuid: 'u', cohortId: WIND.cohortId });
  await turn();
  assert.deepEqual([node.hidden, opener.hidden], [false, false]);
});

test('a chosen study filters, and chosen again, or by all jobs, it does no more', async () => {
  const { node, chosen } = await beside([WIND, HOSTILE]);
  press(node, 'wind');
  assert.deepEqual(pressed(node), ['wind 3 of 4 ended   ✗ 2 failed']);
  press(node, 'wind');
  assert.deepEqual(pressed(node), ['All jobs']);
  press(node, '<img');
  press(node, 'All jobs');
  press(node, 'All jobs');
  assert.deepEqual(chosen, [WIND.cohortId, '', HOSTILE.cohortId, '']);
});

test('a study that is gone filters no more, and one that is renamed still does', async () => {
  const { node, chosen, server, filter, turn } = await beside([WIND, HOSTILE]);
  press(node, 'wind');
  server.studies = [study('storm', { FINISHED: 4 }, WIND.cohortId)];
  filter.renew();
  await turn();
  assert.deepEqual([pressed(node), chosen], [['storm 4 of 4 ended'], [WIND.cohortId]]);
  server.studies = [HOSTILE];
  filter.renew();
  await turn();
  assert.deepEqual([pressed(node), chosen], [['All jobs'], [WIND.cohortId, '']]);
});

test('news of a study are looked at once for many, those of other jobs not at all', async () => {
  const { filter, server, time, turn } = await beside([WIND]);
  filter.hear({ uuid: 'alone', cohortId: null });
  assert.equal(time.waiting.length, 0);
  filter.hear({ uuid: 'a', cohortId: WIND.cohortId });
  filter.hear({ uuid: 'b', cohortId: WIND.cohortId });
  assert.equal(time.waiting.length, 1);
  await turn();
  assert.equal(server.looks, 2);
});

test('at rest it asks for nothing', async () => {
  const { filter, time } = await beside([WIND]);
  filter.hear({ uuid: 'a', cohortId: WIND.cohortId });
  filter.rest();
  assert.equal(time.waiting.length, 0);
});

test('where the server does not answer, what was known stays', async () => {
  const { node, server, filter, turn } = await beside([WIND]);
  server.studies = new Error('gone');
  filter.renew();
  await turn();
  assert.deepEqual(names(node), ['wind']);
});

test('a study that stays keeps the keyboard while others come and go around it', async () => {
  const { node, server, filter, turn } = await beside([WIND]);
  const choice = node.querySelectorAll('button')[1];
  choice.focus();
  server.studies = [HOSTILE, WIND];
  filter.renew();
  await turn();
  assert.deepEqual(names(node), ['<img src=x>', 'wind']);
  assert.equal(document.activeElement, choice);
});

test('where there is little room it is one control, which opens it and tells whether it is open', async () => {
  const { node, opener, filter } = await beside([WIND], { width: 300 });
  assert.deepEqual([node.hidden, opener.textContent, opener.getAttribute('aria-expanded')], [true, 'Studies', 'false']);
  opener.click();
  assert.deepEqual([node.hidden, opener.getAttribute('aria-expanded')], [false, 'true']);
  assert.equal(opener.getAttribute('aria-controls'), node.id);
  opener.click();
  filter.fit(0);
  assert.equal(node.hidden, true);
  filter.fit(1000);
  assert.equal(node.hidden, false);
});

test('whether it is folded is kept apart for wide and narrow places', async () => {
  const storage = store();
  const wide = await beside([WIND], { storage });
  wide.opener.click();
  const narrow = await beside([WIND], { storage, width: 300 });
  narrow.opener.click();
  const [wideAgain, narrowAgain] = [await beside([WIND], { storage }), await beside([WIND], { storage, width: 300 })];
  assert.deepEqual([wideAgain.node.hidden, narrowAgain.node.hidden], [true, false]);
});

test('a folded list tells by a chip which study filters, and the chip takes the filter away', async () => {
  const { node, chip, opener, chosen } = await beside([WIND]);
  press(node, 'wind');
  assert.equal(chip.hidden, true);
  opener.click();
  assert.deepEqual([chip.hidden, chip.textContent], [false, 'Study wind✕']);
  chip.click();
  assert.deepEqual([chip.hidden, chosen.at(-1)], [true, '']);
  assert.equal(document.activeElement, opener);
});

test('Space presses a button, also where the key stands for something else', () => {
  const taken = [];
  const table = [{ keys: [' ', 'Enter'], words: 'select', act: () => taken.push('select') }];
  const [place, button] = [document.createElement('div'), document.createElement('button')];
  place.append(button);
  place.addEventListener('keydown', event => keys.press(table, event));
  for (const key of [' ', 'Enter']) {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
    button.dispatchEvent(event);
    assert.equal(event.defaultPrevented, false);
  }
  place.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', bubbles: true }));
  assert.deepEqual(taken, ['select']);
});
