import assert from 'node:assert/strict';
import test from 'node:test';

import { Newcomers } from '../lib/core/newcomers.js';
import { Soon } from '../lib/core/soon.js';

const settle = () => new Promise(resolve => setImmediate(resolve));

/** A look that ends when it is told to, with a clock in the test's hand. */
function looks() {
  const made = { now: 0, begun: 0, waits: [], ends: [] };
  const wait = (work, ms) => {
    const one = { work, ms };
    made.waits.push(one);
    return () => made.waits.splice(made.waits.indexOf(one), 1);
  };
  const work = () => {
    made.begun += 1;
    return new Promise(resolve => made.ends.push(resolve));
  };
  made.soon = new Soon(work, 1000, wait, () => made.now);
  made.next = () => made.waits.shift().work();
  return made;
}

test('what is asked for several times at once is done once, the next time not before its pause', async () => {
  const made = looks();
  made.soon.ask();
  made.soon.ask();
  assert.deepEqual(made.waits.map(({ ms }) => ms), [0]);
  made.next();
  made.ends.shift()();
  await settle();
  made.now = 300;
  made.soon.ask();
  assert.deepEqual(made.waits.map(({ ms }) => ms), [1000]);
  assert.equal(made.begun, 1);
});

test('what is asked for while it is under way is done once more after it', async () => {
  const made = looks();
  made.soon.ask();
  made.next();
  made.soon.ask();
  made.soon.ask();
  assert.equal(made.waits.length, 0);
  made.ends.shift()();
  await settle();
  assert.equal(made.waits.length, 1);
  made.next();
  made.ends.shift()();
  await settle();
  assert.equal(made.begun, 2);
  assert.equal(made.waits.length, 0);
});

test('what is stopped is not begun, and is done again when it is asked for again', () => {
  const made = looks();
  made.soon.ask();
  made.soon.stop();
  assert.equal(made.waits.length, 0);
  made.soon.ask();
  made.next();
  assert.equal(made.begun, 1);
});

test('a job told of after a page was asked for stays a new one, unless the page has it', () => {
  const newcomers = new Newcomers();
  newcomers.add('early');
  const came = newcomers.asked();
  newcomers.add('late');
  newcomers.add('on the page');
  came([{ uuid: 'on the page' }, { uuid: 'old' }]);
  assert.equal(newcomers.size, 1);
  newcomers.asked()([]);
  assert.equal(newcomers.size, 0);
});
